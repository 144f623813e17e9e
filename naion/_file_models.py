"""Files as pydantic models: what these share, and what is said of a file that fits none.

Only what reads a file imports this module, and with it pydantic.
"""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ._quality import QUALITIES, Quality

QUALITIES_IN_WORDS = ", ".join(f"{key} {word}" for key, word in QUALITIES.items())

MOST = 3
"""Errors that are told at once."""

EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "list_type": "a list of numbers",
    "too_short": "one entry at least",
}
"""By kind of error of pydantic."""

PLAIN = {float: "a number", int: "a whole number", str: '"..."'}
"""How what is no table is given."""

DIGITS = 308
"""Of the largest number."""

LIMITS = {"gt": "above", "ge": "of at least", "lt": "below", "le": "of at most"}


class Strict(BaseModel):
    """A table without further keys, whose numbers are finite numbers.

    Attributes:
        form: how it is given in one line, if it can be.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )
    form: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _has_its_keys(cls, given: Any) -> Any:
        """Unknown and missing keys are told before what is wrong with others."""
        if not isinstance(given, Mapping):
            raise PydanticCustomError("expected", cls.form or "a table")  # pyright: ignore[reportArgumentType]
        fields = cls.model_fields
        unknown = [key for key in given if key not in fields]
        missing = {
            k: f for k, f in fields.items() if f.is_required() and k not in given
        }
        if unknown or missing:
            about = {"unknown": unknown, "missing": missing, "known": list(fields)}
            raise PydanticCustomError("keys", "", about)
        return given


@dataclass(frozen=True)
class Expected:
    """What belongs in a field, in words; what is wrong inside it is told of the whole."""

    words: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Any error becomes the one that has these words."""
        return core_schema.custom_error_schema(
            handler(source), "expected", custom_error_message=self.words
        )


@dataclass(frozen=True)
class Chosen:
    """Of a union of tables: which of them is meant, the word under this key says."""

    key: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """A union that knows its words also where none is given."""
        choices = {
            word: handler.generate_schema(table)
            for table in get_args(source)
            for word in get_args(table.model_fields[self.key].annotation)
        }
        about = {"key": self.key, "known": list(choices)}

        def check(given: Any) -> Any:
            if not isinstance(given, Mapping):
                raise PydanticCustomError("expected", "a table")
            if given.get(self.key) not in about["known"]:
                raise PydanticCustomError("choice", "", about)
            return given

        union = core_schema.tagged_union_schema(choices, self.key)
        return core_schema.no_info_before_validator_function(check, union)


def _in_double_brackets(given: Any) -> Any:
    if isinstance(given, list):
        return given
    raise PydanticCustomError("tables", "")


Tables = BeforeValidator(_in_double_brackets)
"""Of a list of tables."""

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[
    Text | Annotated[list[Text], Field(min_length=1)],
    Expected("a text that is not empty, or a list of such texts"),
]
Numbers = Annotated[list[float], Field(min_length=1), Expected("a list of numbers")]
Pair = Annotated[
    tuple[float, float],
    Field(strict=False),
    Expected("two finite numbers, lowest and highest"),
]
Positive = Annotated[float, Field(gt=0.0), Expected("a number above zero")]
Share = Annotated[float, Field(ge=0.0, le=1.0), Expected("a number from 0 to 1")]
Count = Annotated[int, Field(ge=1), Expected("a whole number above 0")]
PositivePair = Annotated[
    tuple[Positive, Positive],
    Field(strict=False),
    Expected("two numbers above zero, lowest and highest"),
]
Level = Annotated[
    float, Field(gt=0.0, lt=1.0), Expected("a probability between 0 and 1")
]
Celsius = Annotated[
    float,
    Field(gt=-100.0, lt=150.0),
    Expected("a number of degC between -100 and 150. Is it in kelvin?"),
]


class Ranged(Strict):
    """What a number of a design or of a claim says of itself, besides its value."""

    form = '{ value = 19.0, quality = "M", source = "teardown", range = [18.0, 22.0] }'
    quality: Annotated[Quality, Field(description=QUALITIES_IN_WORDS)]
    source: Text
    range: Annotated[
        PositivePair | None, Field(description="lowest and highest plausible value")
    ] = None
    level: Annotated[Level, Field(description="probability of the range")] = 0.9
    bounds: Annotated[
        PositivePair | None, Field(description="beyond which it cannot be")
    ] = None


def number_or(table: type[Strict]) -> Any:
    """The type of a plain number, or of one that says more of itself in a table."""

    def tag(given: Any) -> str:
        return "<table>" if isinstance(given, Mapping | table) else "<plain>"

    return Annotated[
        Annotated[table, Tag("<table>")] | Annotated[float, Tag("<plain>")],
        Discriminator(tag),
    ]


Model = TypeVar("Model", bound=BaseModel)


def checked(model: type[Model], data: Mapping[str, Any], file: Path | str) -> Model:
    """What a file says.

    Raises:
        ValueError: naming file, table and key, what is there and what was expected.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    found = [said for e in errors for said in _sentences(e, data)]
    more = f" And {len(found) - MOST} more." if len(found) > MOST else ""
    raise ValueError(f"{file}: {' '.join(found[:MOST])}{more}")


def json_schema(model: Any) -> str:
    """JSON Schema of a file, for editors."""
    return json.dumps(TypeAdapter(model).json_schema(), indent=1)


def _sentences(error: Mapping[str, Any], data: Any) -> Iterator[str]:
    """What one error is, with its place, what was given and what is expected."""
    kind, given, about = error["type"], error["input"], error.get("ctx", {})
    place = _place(error["loc"], data)
    said = f"{place} = {_shown(given)}"
    if kind == "keys":
        yield from _of_keys(place, about)
    elif kind == "expected":
        yield f"{said}: expected {_sentence(error['msg'])}"
    elif kind == "value_error":
        yield f"{place}: {about['error']}" if place else str(about["error"])
    elif kind == "tables":
        said = f"{place} is one table [{place}]" if isinstance(given, dict) else said
        yield f"{said}: expected tables [[{place}]], with double brackets."
    elif kind == "dict_type":
        yield f"{said}: expected tables [{place}.NAME]."
    elif kind == "literal_error":
        known = about["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        yield f"{said}; {_known(given, known)}"
    elif kind == "choice":
        key = about["key"]
        said = f"{_inside(place, key)} = {_shown(given.get(key))}"
        said = said if key in given else f"{place} has no {key}"
        yield f"{said}; {_known(given.get(key), about['known'])}"
    else:
        ends = (f"{LIMITS[end]} {x:g}" for end, x in about.items() if end in LIMITS)
        words = EXPECTED.get(kind, f"a number {' '.join(ends)}".rstrip())
        yield f"{said}: expected {words}."


def _of_keys(place: str, about: Mapping[str, Any]) -> Iterator[str]:
    where = f"[{place}]" if place else "The file"
    where = place if " " in place else where
    if about["unknown"]:
        known = _known(about["unknown"][0], about["known"])
        yield f"{where}: unknown key {', '.join(about['unknown'])}; {known}"
    for key, field in about["missing"].items():
        yield f"{where} has no {key}: give {_form(place, key, field)}."


def _form(place: str, key: str, field: FieldInfo) -> str:
    """How a key is given that is missing, and what the schema says of it."""
    said = f" ({field.description.rstrip('.')})" if field.description else ""
    if field.examples:
        return f"{key} = {_toml(field.examples[0])}{said}"
    kind: Any = field.annotation
    if get_origin(kind) is dict:
        return f"tables [{_inside(place, key)}.NAME]{said}"
    if get_origin(kind) is Literal:
        return f"{key} = one of {', '.join(map(str, get_args(kind)))}"
    while get_args(kind):
        kind = get_args(kind)[0]
    if get_origin(field.annotation) is list:
        return f"tables [[{key}]]{said}"
    form = PLAIN.get(kind) or getattr(kind, "form", "...")
    return f"{key} = {form}{said}" if form else f"a table [{_inside(place, key)}]"


def _toml(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{k} = {_toml(x)}' for k, x in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


def _place(loc: Iterable[int | str], data: Any) -> str:
    """A place in a file as it is named: "data 1, sigma" or "negative.thickness.value".

    A word that is no key chooses between types, and is left out.
    """
    said: str = ""
    node: Any = data
    for part in loc:
        if isinstance(part, int):
            node = node[part]
            said += f" {part + 1}" if isinstance(node, dict) else f", entry {part + 1}"
        elif isinstance(node, Mapping) and part in node:
            node, said = node[part], _inside(said, part)
    return said


def _inside(place: str, key: str) -> str:
    in_list = re.search(r" \d+$", place)
    return f"{place}{', ' if in_list else '.' if place else ''}{key}"


def _known(given: Any, known: Iterable[str]) -> str:
    """What is known, and what of it was meant."""
    near = difflib.get_close_matches(str(given), list(known), n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"known are {', '.join(known)}.{meant}"


def _sentence(text: str) -> str:
    return text if text[-1] in ".?" else f"{text}."


def _shown(given: Any) -> str:
    said = repr(given)
    if isinstance(given, int) and len(said) > DIGITS:
        return f"{said[:20]}... ({len(said)} digits, too large)"
    return said if len(said) <= 60 else said[:57] + "..."
