"""Published parameter sets by name, with where every number comes from."""

import difflib
import functools as ft
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import ModuleType

from .._precision import require_x64
from ._cell import Cell
from ._check import check
from ._sourced import Sourced


@dataclass(frozen=True)
class ParameterSet:
    """A published set: the cell and its provenance.

    Attributes:
        name: as given to `load`.
        title: one line.
        cell: the numbers.
        provenance: one entry for every number or table.
        citation: how to cite the set.
        licence: licence of the numbers.
    """

    name: str
    title: str
    cell: Cell
    provenance: tuple[Sourced, ...]
    citation: str
    licence: str


def _packages() -> Iterator[ModuleType]:
    for point in entry_points(group="naion.parameters"):
        yield point.load()


def available() -> tuple[str, ...]:
    """Names of all sets, from naion and from packages that register their own.

    A package registers a module under the entry-point group `naion.parameters`; the
    module has `SETS`, a dictionary from name to a function that returns a
    `ParameterSet`.
    """
    return tuple(sorted(name for package in _packages() for name in package.SETS))


def load_set(name: str) -> ParameterSet:
    """A set with its provenance.

    Raises:
        TypeError: for anything but a text.
        KeyError: for an unknown name, with the nearest known ones.
        RuntimeError: when float64 is off.
        ValueError: when a number of the set is not possible; see `check`.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"A set has a name, such as 'nfm_hc_18650', got {name!r:.60}. Known: "
            f"{', '.join(available())}."
        )
    require_x64()
    return _loaded(name)


@ft.cache
def _loaded(name: str) -> ParameterSet:
    for package in _packages():
        if name in package.SETS:
            found = package.SETS[name]()
            try:
                check(found.cell)
            except ValueError as error:
                raise ValueError(f"Parameter set {name!r}: {error}") from None
            return found
    near = difflib.get_close_matches(name, available(), cutoff=0.3)
    raise KeyError(
        f"No parameter set {name!r}. Nearest: {', '.join(near) or 'none'}. "
        f"Known: {', '.join(available())}."
    )


def load(name: str) -> Cell:
    """The cell of a set; see `load_set`."""
    return load_set(name).cell
