"""The format of files of designs: tables in tables, made from the names of numbers."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, RootModel, create_model

from .._file_models import Expected, Pair, Positive, Ranged, Strict, Text
from ._blueprint import HOUSINGS, METALS, NAMES, unit_of


class Number(Ranged):
    """A number of a design, in the unit of data sheets."""

    value: Positive


def _higher_first(pairs: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    if not all(high > low for high, low in pairs):
        raise ValueError
    return pairs


Potentials = Annotated[
    tuple[Pair, Pair],
    Field(strict=False),
    AfterValidator(_higher_first),
    Expected(
        "those of the positive and of the negative, the higher of each two first, such as "
        "[[4.0, 2.0], [2.0, 0.0]]"
    ),
]


class Words(Strict):
    """What a design says besides its numbers."""

    title: Annotated[str, Field(description="one line")] = ""
    materials: Annotated[
        str, Field(description="parameter set whose materials it is built with")
    ] = ""
    format: Literal[tuple(HOUSINGS)] = "prismatic"  # pyright: ignore[reportInvalidTypeForm]
    negative_metal: Literal[tuple(METALS)] = "aluminium"  # pyright: ignore[reportInvalidTypeForm]
    positive_material: Annotated[
        str, Field(description="active material, by its name in lists of prices")
    ] = ""
    negative_material: Annotated[
        str, Field(description="active material, by its name in lists of prices")
    ] = ""
    potentials: Annotated[
        Potentials, Field(description="between which half cells were measured [V]")
    ] = ((4.0, 2.0), (2.0, 0.0))


class Like(Words):
    """What a design says, if not all of it, besides its numbers."""

    like: Annotated[
        Text | None,
        Field(description="the design whose words and numbers it has, but for its own"),
        Expected("the name of another design"),
    ] = None


def _numbers(above: str, base: type[Strict]) -> type[Strict]:
    """The table of all numbers below a name, each of which may be left out."""
    keys: dict[str, Any] = {}
    for name in NAMES:
        key, dot, _ = name.removeprefix(above).partition(".")
        if not name.startswith(above):
            continue
        kind = _numbers(f"{above}{key}.", Strict) if dot else Number
        about = None if dot else f"[{unit_of(name)[0]}]"
        keys[key] = (kind | None, Field(default=None, description=about))
    title = above.strip(".").title().replace("_", "") or "Design"
    return create_model(title, __base__=base, __doc__=f"{title}.", **keys)


DesignTable: Any = _numbers("", Like)


class Designs(RootModel[dict[str, DesignTable]]):
    """Designs by name."""
