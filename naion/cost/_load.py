"""Price lists, of a file or those that ship.

What reads files is imported when one is read: it takes a tenth of a second.
"""

from pathlib import Path

from .._files import table_of
from .._takes import takes
from ._prices import PriceList, Quoted


@takes
def available(file: Path | str | None = None) -> tuple[str, ...]:
    """Names of the price lists in a file, or of those that ship."""
    from ._read import read_tables

    return tuple(read_tables(file))


@takes
def load(name: str = "china_2026_06", file: Path | str | None = None) -> PriceList:
    """A price list that ships, or one of a TOML file of yours.

    Args:
        name: of its table.
        file: to read; none: the lists that ship, `naion/cost/prices.toml`, which also
            show the format, and which lists of yours may be `like`.

    Raises:
        KeyError: for an unknown name.
        ValueError: for a file that cannot be understood, naming file, table and key.
    """
    from ._read import read_list, read_tables

    tables = read_tables(file)
    table = table_of(tables, name, "price list", file)
    return read_list(name, table, "prices.toml" if file is None else str(file))


def lithium_quotes() -> tuple[Quoted, ...]:
    """What lithium carbonate cost in China, 2021 to June 2026 (`lithium.toml`)."""
    from ._read import read_quotes

    return read_quotes()


def schema() -> str:
    """JSON Schema of files of price lists."""
    from .._file_models import json_schema
    from ._schema import Lists

    return json_schema(Lists)
