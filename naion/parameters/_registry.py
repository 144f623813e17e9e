"""Load parameter sets by name or file."""

import difflib
import functools as ft
from importlib.metadata import entry_points
from pathlib import Path

import jax

from .._cautions import caution
from .._files import read_toml
from .._precision import require_x64
from ._cell import Cell
from ._doubts import doubts_of
from ._known import ask_of, remember
from ._parameter_set import ParameterSet


def _registered() -> dict[str, Path]:
    """Files of sets by name."""
    folders = [Path(__file__).with_name("sets")]
    for point in entry_points(group="naion.parameters"):
        folders += map(Path, point.load().__path__)
    found: dict[str, Path] = {}
    for folder in folders:
        for file in (*folder.glob("*.toml"), *folder.glob("*/*.toml")):
            found.setdefault(file.stem, file)
    return found


def available() -> tuple[str, ...]:
    """Names of all parameter sets, of naion and of packages that register their own.

    A package registers a package of data under the entry-point group `naion.parameters`.
    Every TOML file in its folder, and one folder below, is a set with the file's name.
    """
    return tuple(sorted(_registered()))


def titles() -> dict[str, str]:
    """Title of every set, by name, without reading its numbers.

    Raises:
        ValueError: for a file that is not TOML, naming it.
    """
    files = _registered()
    return {
        name: str(read_toml(files[name]).get("title", "")) for name in sorted(files)
    }


def is_set(name: str | Path) -> bool:
    """Whether `load_set` takes this: the name of a set, or the path of a TOML file."""
    return _is_file(name) or name in available()


def _is_file(name: str | Path) -> bool:
    return isinstance(name, Path) or name.endswith(".toml")


def load_set(name: str | Path) -> ParameterSet:
    """Load a parameter set: a cell with the source of every number.

    Args:
        name: one of `available()`, or the path of a TOML file of your own, such as
            `naion sets --new NAME` writes.

    Raises:
        TypeError: for anything but a text or a path.
        KeyError: for an unknown name, with the nearest known ones.
        RuntimeError: when float64 is off.
        ValueError: for a file that is not a parameter set, naming file, table and key; or
            for impossible numbers, see `check`.
    """
    if not isinstance(name, str | Path):
        raise TypeError(
            "A set has a name, such as 'nfm_hc_18650', or a TOML file; got "
            f"{name!r:.60}. Known: {', '.join(available())}."
        )
    require_x64()
    if _is_file(name):
        from ._read_set import read_set

        found = read_set(Path(name))
        # The published state may lie slightly beyond the voltage limits, as cells do before
        # their first charge.
        published = {"the published state": found.cell.published}
        for said in doubts_of(found.cell, published, far=0.5):
            caution(f"{name}: {said}")
        remember(found)
        return found
    return _loaded(str(name))


@ft.cache
def _loaded(name: str) -> ParameterSet:
    from ._read_set import read_set

    files = _registered()
    if name in files:
        # The set is cached, so that it must hold concrete numbers also if the first call
        # comes from inside a JAX transformation.
        with jax.ensure_compile_time_eval():
            found = read_set(files[name])
        remember(found)
        return found
    raise KeyError(
        f"No parameter set {name!r}. Nearest: {', '.join(nearest_sets(name)) or 'none'}. "
        f"Known: {', '.join(available())}. A file of your own ends with .toml."
    )


def nearest_sets(name: str) -> list[str]:
    """Names of the sets that are most like a name that is none, such as `Chen2020`."""
    return difflib.get_close_matches(name.lower(), available(), cutoff=0.3)


# So that a cell is also recognised if its set has not been loaded in this process.
ask_of(lambda: map(_loaded, available()))


def load(name: str | Path) -> Cell:
    """Load the cell of a parameter set; arguments and errors as of `load_set`."""
    return load_set(name).cell


def schema() -> str:
    """JSON Schema of the files of parameter sets."""
    from .._file_models import json_schema
    from ._schema import SetFile

    return json_schema(SetFile)


def template(name: str) -> str:
    """A commented file of a parameter set, with the numbers of a generic sodium cell."""
    text = Path(__file__).with_name("template.toml").read_text("utf-8")
    return text.replace("NAME", name)
