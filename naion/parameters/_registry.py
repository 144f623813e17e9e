"""Parameter sets by name or file, with where every number comes from."""

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
    """Names of all sets, from naion and from packages that register their own.

    A package registers another under the entry-point group `naion.parameters`: every TOML
    file in its folder, and in the folders there, is a set, named as the file.
    """
    return tuple(sorted(_registered()))


def titles() -> dict[str, str]:
    """One line on every set, by name; no numbers are read.

    Raises:
        ValueError: for a file that is no TOML, naming it.
    """
    files = _registered()
    return {
        name: str(read_toml(files[name]).get("title", "")) for name in sorted(files)
    }


def is_set(name: str | Path) -> bool:
    """Whether `load_set` takes it: the name of a set, or the path of a TOML file."""
    return _is_file(name) or name in available()


def _is_file(name: str | Path) -> bool:
    return isinstance(name, Path) or name.endswith(".toml")


def load_set(name: str | Path) -> ParameterSet:
    """A set with where its numbers are from.

    Args:
        name: one of `available()`, or the path of a TOML file of your own, such as
            `naion sets --new NAME` writes.

    Raises:
        TypeError: for anything but a text or a path.
        KeyError: for an unknown name, with the nearest known ones.
        RuntimeError: when float64 is off.
        ValueError: for a file that is no parameter set, naming file, table and key; or
            when a number of the set is not possible, see `check`.
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
        # Before the first charge a cell may rest above its limit, but not by far.
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
        # Kept for all: the first to ask may be inside a transformation.
        with jax.ensure_compile_time_eval():
            found = read_set(files[name])
        remember(found)
        return found
    near = difflib.get_close_matches(name, files, cutoff=0.3)
    raise KeyError(
        f"No parameter set {name!r}. Nearest: {', '.join(near) or 'none'}. "
        f"Known: {', '.join(available())}. A file of your own ends with .toml."
    )


# Cells that were read from elsewhere are recognised too.
ask_of(lambda: map(_loaded, available()))


def load(name: str | Path) -> Cell:
    """The cell of a set; see `load_set`."""
    return load_set(name).cell


def schema() -> str:
    """JSON Schema of the files of sets."""
    from .._file_models import json_schema
    from ._schema import SetFile

    return json_schema(SetFile)


def template(name: str) -> str:
    """The text of a commented file of a set, with the numbers of a generic sodium cell."""
    text = Path(__file__).with_name("template.toml").read_text("utf-8")
    return text.replace("NAME", name)
