"""The cell that claims are answered for, with what is known of it."""

from importlib import resources

from .._takes import takes
from ..fit import Uncertainty, uncertainty_of_set
from ..io import read_cell
from ..parameters import is_set, load_set, require_full_cell
from ._claims import Audited


@takes
def audited_cell(name: str) -> Audited:
    """A cell by set name or file, with what is known of it.

    Raises:
        ValueError: for a half cell, or a file without a fit.
    """
    if is_set(name):
        known = uncertainty_of_set(found := load_set(name))
        return found.cell, known, False
    cell, extra = read_cell(name)
    require_full_cell(cell, "An audit", name)
    if "fit" not in extra:
        raise ValueError(
            f"{name} carries no fit: an audit needs a cell.json written by `naion fit` "
            "or `naion demo`, or a set."
        )
    return cell, Uncertainty.read(name, extra["fit"], cell), True


def shipped_cell() -> Audited:
    """The TU Berlin 18650 as `make study` fitted it."""
    with resources.as_file(resources.files("naion.claims") / "tuberlin.json") as path:
        return audited_cell(str(path))
