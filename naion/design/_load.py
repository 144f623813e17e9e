"""Designs, of a file or those that ship.

What reads files is imported when one is read: it takes a tenth of a second.
"""

from pathlib import Path

from .._files import table_of
from .._takes import takes
from ._blueprint import Blueprint


@takes
def available(file: Path | str | None = None) -> tuple[str, ...]:
    """Names of the designs in a file, or of those that ship."""
    from ._read import read_tables

    return tuple(read_tables(file))


def schema() -> str:
    """JSON Schema of files of designs."""
    from .._file_models import json_schema
    from ._schema import Designs

    return json_schema(Designs)


@takes
def load(name: str, file: Path | str | None = None) -> Blueprint:
    """A design that ships, or one of a TOML file of yours.

    Args:
        name: of its table.
        file: to read; none: the designs that ship, `naion/design/designs.toml`, which
            also show the format.

    Raises:
        KeyError: for an unknown name.
        ValueError: for a file that cannot be understood, naming file, table and key.
    """
    from ._read import read, read_tables

    tables = read_tables(file)
    table = table_of(tables, name, "design", file)
    try:
        return read(name, *table)
    except ValueError as error:
        if file is None:
            raise
        raise ValueError(f"{file}: {error}") from None
