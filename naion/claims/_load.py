"""Claims and products, of a file or those that ship.

What reads files is imported when one is read: it takes a tenth of a second.
"""

from pathlib import Path
from typing import Any

from .._takes import takes
from ._audited import shipped_cell
from ._claims import Audited, Claim, Reading
from ._product import Product


@takes
def load(file: Path | str | None = None) -> tuple[Claim, ...]:
    """Claims of a TOML file, or those that ship (`naion/claims/claims.toml`).

    Raises:
        ValueError: for a file that cannot be understood, naming file, table and key, what
            is there and what was expected.
    """
    from ._read import read_claims

    return read_claims(file)


@takes
def products(
    audited: Audited | None, file: Path | str | None = None
) -> dict[str, Product]:
    """The products of a file's claims, and those that ship, by name.

    Args:
        audited: a cell, what is known of it, and whether it was fitted: the materials of
            products that ask for "fitted" ones; none: those that ship.
        file: as for `load`.

    Raises:
        ValueError: as `load`, and for materials or a design that there are not.
    """
    from ._read import read_products

    return read_products(shipped_cell() if audited is None else audited, file)


@takes
def reading(product: str, **entry: Any) -> Reading:
    """A reading without a file: `question`, its numbers, and `require`.

    Args:
        product: what is asked, by name.
        entry: as in a file; `text` may be left out.

    Raises:
        ValueError: for what cannot be understood, with what is allowed.
    """
    from ._read import read_reading

    return read_reading(product, entry)


def schema() -> str:
    """JSON Schema of files of claims."""
    from .._file_models import json_schema
    from ._schema import ClaimsFile

    return json_schema(ClaimsFile)


def chosen(claims: tuple[Claim, ...], names: list[str]) -> tuple[Claim, ...]:
    """Claims whose names are given, or begin with what is given; all if none is.

    Raises:
        KeyError: for a name of no claim.
    """
    if not names:
        return claims
    for name in names:
        if not any(c.name.startswith(name) for c in claims):
            known = ", ".join(c.name for c in claims)
            raise KeyError(f"No claim {name!r}. There are: {known}.")
    return tuple(c for c in claims if c.name.startswith(tuple(names)))
