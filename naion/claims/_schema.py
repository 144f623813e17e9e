"""The format of files of claims: tables made from the questions that claims ask."""

import datetime
import functools
from typing import Annotated, Any, Literal, Union

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    create_model,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .._file_models import (
    Chosen,
    Expected,
    Pair,
    Positive,
    Ranged,
    Strict,
    Tables,
    Text,
    number_or,
)
from ._claims import FITTED
from ._questions import QUESTIONS, Question
from ._words import ASKS, NUMBERS, wrong

ProductName = Annotated[Text, Expected("a text, the name of a product")]


class Condition(Ranged):
    """A number of a question that is itself uncertain."""

    value: float


class Factor(Ranged):
    """A factor on numbers of the cell."""

    value: Positive
    paths: Annotated[
        list[Text],
        Field(min_length=1, examples=[["contact_resistance.scale"]]),
        Expected("a list of paths in the cell"),
    ]


class Required(Strict):
    """A quantity that must be at least, or at most, a number."""

    of: str
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "Required":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError
        return self


class AnyReading(Strict):
    """What readings have in common."""

    text: Annotated[Text, Field(description="in words")]
    about: Annotated[
        ProductName | None, Field(description="product; else the claim's")
    ] = None
    beside: Annotated[
        ProductName | None,
        Field(description="a second product, where two are compared"),
    ] = None
    heat: Literal["isothermal", "lumped"] = "isothermal"
    prices: Annotated[
        Text,
        Field(description="price list, of questions of cost: `naion cost --lists`"),
    ] = "china_2026_06"


def _possible(name: str, given: Any) -> Any:
    """A number of a question, if it is one that it can have; so are the ends of it."""
    values = [given]
    if isinstance(given, Condition):
        values = [given.value, *(given.range or ()), *(given.bounds or ())]
    for value in values:
        if words := wrong(name, value):
            raise PydanticCustomError("expected", words)  # pyright: ignore[reportArgumentType]
    return given


def _of_question(word: str, question: Question) -> type[AnyReading]:
    """The table of a reading that asks a question: a key for each of its numbers."""
    names = tuple(name for name, _ in question.quantities)
    required = create_model("Required", __base__=Required, of=(Literal[names], ...))  # pyright: ignore[reportInvalidTypeForm, reportCallIssue, reportArgumentType]
    keys: dict[str, Any] = {
        name: (
            Annotated[
                number_or(Condition),
                AfterValidator(functools.partial(_possible, name)),
                Field(description=NUMBERS[name]),
            ],
            ... if usual is None else usual,
        )
        for name, usual in question.numbers.items()
    }
    keys["question"] = (Literal[word], ...)  # pyright: ignore[reportInvalidTypeForm]
    keys["require"] = (
        Annotated[
            list[required],
            Field(min_length=1),
            Expected(
                f'[{{ of = "{names[0]}", at_least = 1.0 }}], with either at_least or '
                f"at_most, a finite number; of is one of {', '.join(names)}"
            ),
        ],
        Field(examples=[[{"of": names[0], "at_least": 1.0}]]),
    )
    return create_model(word, __base__=AnyReading, __doc__=ASKS[word], **keys)


_TABLES = tuple(_of_question(word, asked) for word, asked in QUESTIONS.items())
READING: Any = Union[_TABLES]  # noqa: UP007


class Readings(Strict):
    """What may be meant."""

    reading: Annotated[
        list[Annotated[READING, Chosen("question")]],  # pyright: ignore[reportInvalidTypeForm]
        Field(min_length=1, description="what may be meant"),
        Tables,
    ]


def _as_text(given: Any) -> Any:
    return str(given) if isinstance(given, datetime.date) else given


class ClaimTable(Readings):
    """What a maker says, as published."""

    maker: str
    product: str
    said: str
    date: Annotated[str, BeforeValidator(_as_text)]
    source: str
    leaves_out: Annotated[str, Field(description="what the claim does not say")]
    note: Annotated[str, Field(description="what belongs beside it")] = ""
    about: Annotated[
        ProductName | None, Field(description="product of its readings")
    ] = None


class ProductTable(Strict):
    """What is asked."""

    materials: Annotated[
        Text, Field(description=f"a set, a cell.json or {FITTED}: of the audited cell")
    ] = FITTED
    design: Annotated[Text | None, Field(description="by name")] = None
    designs: Annotated[
        Text | None, Field(description="the file of that design, relative to this file")
    ] = None
    variation: Annotated[Text | None, Field(description="of the materials")] = None
    temperatures: Annotated[
        Pair, Field(description="which data of the materials cover [degC]")
    ] = (25.0, 25.0)


class ClaimsFile(Strict):
    """Claims, and the products that they are about."""

    claim: Annotated[dict[str, ClaimTable], Field(min_length=1)]
    product: dict[str, ProductTable] = {}
    variation: dict[str, dict[str, Factor]] = {}
