"""cell.json: a cell, what was fitted, its covariance and where everything comes from."""

import json
from pathlib import Path
from typing import Any

from .._cautions import caution
from .._files import read_text, write_whole
from .._takes import takes
from ..parameters import (
    Cell,
    available,
    check,
    doubts_of,
    from_json,
    is_set,
    load,
    to_json,
)

FORMAT = "naion-cell-2"
READ = "naion-cell-1", FORMAT
"""Formats that are read; the first does not say with which model a fit was made."""


@takes
def write_cell(path: Path | str, cell: Cell, **extra: Any) -> None:
    """Write a cell and anything that belongs to it; a broken write leaves no file.

    Args:
        path: file to write.
        cell: the cell.
        extra: JSON data kept beside it, such as `fit`, `name` and `provenance`.

    Raises:
        TypeError: for anything but a cell.
        ValueError: for numbers that are not possible: no reader would take them.
    """
    check(cell)
    text = json.dumps({"format": FORMAT, "cell": to_json(cell), **extra}, indent=1)
    write_whole(path, text + "\n")


@takes
def read_cell(name: str | Path) -> tuple[Cell, dict[str, Any]]:
    """A cell by set name or file, TOML of a set or JSON, with what is kept beside it.

    Raises:
        ValueError: when the file is not a naion cell, or holds what no cell can have,
            naming file and field.
        FileNotFoundError: when there is neither such a set nor such a file.
    """
    path = Path(name)
    if is_set(str(name)) and (path.is_file() or path.suffix != ".toml"):
        return load(str(name)), {"name": path.stem}
    if not path.is_file():
        raise FileNotFoundError(
            f"No cell {str(name)!r}: neither a file nor a set. Sets: "
            f"{', '.join(available())}."
        )
    text = read_text(path)
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError(f"{path}: nested too deeply to be a cell.") from None
    except ValueError as error:  # JSONDecodeError, or a number of thousands of digits
        raise ValueError(f"{path} is not JSON: {error}.") from None
    if isinstance(data, dict) and "Parameterisation" in data:
        raise ValueError(
            f"{path} is a BPX file and not a naion cell: write it as one with "
            "`naion.io.write_cell(name, naion.io.read_bpx(file))`."
        )
    if not isinstance(data, dict) or data.get("format") not in READ:
        raise ValueError(
            f"{path} is not a naion cell (format {' or '.join(READ)}); write one with "
            "`naion fit` or `naion.io.write_cell`."
        )
    try:
        cell = from_json(_of_now(data.pop("cell", None)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for said in doubts_of(cell):
        caution(f"{path}: {said}")
    return cell, data


def _of_now(cell: Any) -> Any:
    """A cell of a file in which a fit's charged state stood beside the published one."""
    if isinstance(cell, dict) and "charged" in cell:
        charged = cell.pop("charged")
        return cell if charged is None else cell | {"published": charged}
    return cell
