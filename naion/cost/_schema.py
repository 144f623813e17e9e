"""The format of price lists and of what they name."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from .._file_models import Expected, Pair, Positive, Strict, Text
from .._quality import Quality
from ._elements import MASSES

Unit = Literal["USD/kg", "USD/m2", "USD/L", "USD/kWh", "USD/cell", "kg/kg", "-"]

NotNegative = Annotated[float, Field(ge=0.0), Expected("a number of at least 0")]


class Entry(Strict):
    """A number of a price list."""

    form = (
        '{ value = 5.5, range = [4.0, 8.0], unit = "USD/kg", quality = "A", '
        'source = "...", date = "2026-06" }'
    )
    value: NotNegative
    range: Annotated[
        Pair | None, Field(description="between whose ends all of it lies")
    ] = None
    unit: Unit
    quality: Quality
    source: Text
    date: Annotated[Text, Field(description="of the source, such as 2026-06")]
    carbonate: Annotated[
        NotNegative | None,
        Field(description="price of lithium carbonate then [USD/kg]; none: none in it"),
    ] = None


class ListTable(Strict):
    """A price list, or what of it is other than in the one that it is like."""

    title: str = ""
    like: Annotated[
        Text | None,
        Field(description="the list whose entries it has, but for its own"),
        Expected("the name of another list"),
    ] = None
    date: Annotated[str, Field(description="for which it holds")] = ""
    lithium_carbonate: Annotated[
        Entry | None, Field(description="where nothing else is asked for [USD/kg]")
    ] = None
    price: dict[str, Entry] = {}
    making: dict[str, Entry] = {}
    yields: dict[str, Entry] = {}
    share: dict[str, Entry] = {}


class Lists(RootModel[dict[str, ListTable]]):
    """Price lists by name."""


class MaterialTable(Strict):
    """What a price is of."""

    title: str
    atoms: dict[Literal[tuple(MASSES)], Positive]  # pyright: ignore[reportInvalidTypeForm]
    made_from: dict[str, Positive] = {}


class Materials(RootModel[dict[str, MaterialTable]]):
    """Materials by name."""


class Quote(Strict):
    """What lithium carbonate cost."""

    date: Text
    price: Positive
    exchange: Positive
    quality: Quality
    source: Text


class Quotes(Strict):
    """Of lithium carbonate."""

    quote: list[Quote]
