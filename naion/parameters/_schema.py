"""The file format of parameter sets, whose tables mirror the `Cell`.

The models are generated from the classes of a cell, and units from `_ranges`, so that each
field is declared only once. Only code that reads a file imports this module, and with it
pydantic.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_type_hints

import equinox as eqx
from pydantic import Discriminator, Field, Tag, create_model

from .._file_models import (
    QUALITIES_IN_WORDS,
    Chosen,
    Expected,
    Level,
    Pair,
    Strict,
    Text,
    number_or,
)
from .._mesh_counts import MeshCounts
from ..properties import (
    MSMR,
    VTF,
    Arrhenius,
    Expression,
    Extrapolation,
    Interpolation,
    LandesfeindConductivity,
    LandesfeindDiffusivity,
    LandesfeindPolynomial,
    PowerExponential,
    PowerSeries,
    Property,
    Table,
    TanhSum,
)
from ._cell import Cell
from ._ranges import unit_of
from ._sourced import Distribution, Quality

LAWS = (Arrhenius, VTF)
"""Temperature laws that a file can name."""

CURVES = (
    Table,
    MSMR,
    TanhSum,
    PowerSeries,
    PowerExponential,
    LandesfeindConductivity,
    LandesfeindDiffusivity,
    LandesfeindPolynomial,
    Expression,
)

_ATTRIBUTE = re.compile(r"^ {8}(\w+): (.+?)(?=^ {8}\w|\Z)", re.M | re.S)
"""Finds the attributes in a docstring, with their descriptions."""

NOT_IN_FILES = ("kinetics",)
"""Fields of a cell that files do not give."""

FORM = (
    '{ value = 4e-6, unit = "m", quality = "A", source = "...", range = [2e-6, 8e-6] }'
)
"""Example of a number in a file, for messages."""


class Entry(Strict):
    """What every number, table and curve says of itself."""

    form = FORM
    unit: Annotated[str, Field(description="SI, or a usual multiple of it")]
    quality: Annotated[Quality, Field(description=QUALITIES_IN_WORDS)]
    source: Annotated[
        Text, Field(description="where it is from; {name} stands for one of [sources]")
    ]
    range: Annotated[
        Pair | None,
        Field(description="lowest and highest plausible value; of a table, its factor"),
    ] = None
    level: Annotated[
        Level | None, Field(description="probability of the range, if not the file's")
    ] = None
    bounds: Annotated[
        Pair | None, Field(description="beyond which it cannot be; none: its range")
    ] = None
    distribution: Distribution | None = None
    follows: Annotated[
        tuple[str, float] | None,
        Field(strict=False, description="path and power of what the range goes with"),
        Expected('a path and a power, such as ["negative.particle.radius", 2.0]'),
    ] = None
    same_in_all: Annotated[
        bool, Field(description="assumed alike in all sets: tells no chemistry apart")
    ] = False


class Number(Entry):
    """A number."""

    value: float


LawNumber = number_or(Number)
"""A number of a temperature law, with its own source or without."""


def _of_form(cls: type[eqx.Module], number: Any) -> type[Strict]:
    """The model of a curve or law in a file: key `type`, and a key for each field."""
    hints, word = get_type_hints(cls), cls.__name__
    keys: dict[str, Any] = {"type": (Literal[word], ...)}  # pyright: ignore[reportInvalidTypeForm]
    for field in dataclasses.fields(cls):
        if field.default_factory is not dataclasses.MISSING:
            continue
        kind, shape = hints[field.name], getattr(hints[field.name], "dim_str", None)
        if shape is not None:
            kind = number if not shape.strip() else list[float]
        elif getattr(kind, "__origin__", None) is tuple:
            kind = Annotated[kind, Field(strict=False)]
        usual = ... if field.default is dataclasses.MISSING else field.default
        keys[field.name] = (kind, usual)
    return create_model(cls.__name__, __base__=Strict, __doc__=_first_line(cls), **keys)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _one_of(forms: tuple[type[eqx.Module], ...], number: Any) -> Any:
    """The model of one of several curves or laws, which the key `type` names."""
    tables = tuple(_of_form(cls, number) for cls in forms)
    return Annotated[Union[tables], Chosen("type")]  # noqa: UP007


class OfTemperature(Strict):
    """What a property says of temperature."""

    temperature: Annotated[
        _one_of(LAWS, LawNumber) | None,  # pyright: ignore[reportInvalidTypeForm]
        Field(description="law; none: it does not depend on temperature"),
    ] = None
    valid: Annotated[
        Pair | None, Field(description="lowest and highest temperature measured at [K]")
    ] = None


class ConstantProperty(OfTemperature, Number):
    """A property that does not depend on composition."""


class TableProperty(OfTemperature, Entry):
    """A property from a CSV file of two columns: composition and value."""

    table: Annotated[Text, Field(description="path, relative to this file")]
    text: Annotated[Text | None, Field(description="the table in words")] = None
    x_full: Annotated[
        float,
        Field(
            gt=0.0, description="what column one is divided by: c_max of concentrations"
        ),
    ] = 1.0
    x_scale: Annotated[float, Field(description="what it is then multiplied by")] = 1.0
    x_offset: Annotated[float, Field(description="what is then added")] = 0.0
    y_scale: Annotated[float, Field(description="factor on column two")] = 1.0
    interpolation: Interpolation = "pchip"
    extrapolation: Extrapolation = "linear"


class CurveProperty(OfTemperature, Entry):
    """A property from a formula, or from points in the file itself."""

    curve: _one_of(CURVES, float)  # pyright: ignore[reportInvalidTypeForm]
    text: Annotated[Text | None, Field(description="the formula in words")] = None


FORMS = {"value": ConstantProperty, "table": TableProperty, "curve": CurveProperty}
"""The three forms of a property in a file, by the key that only this form has."""


def _form(given: Any) -> str | None:
    if isinstance(given, Entry):
        return next(f"<{key}>" for key, form in FORMS.items() if type(given) is form)
    keys = [k for k in FORMS if k in given] if isinstance(given, Mapping) else []
    return f"<{keys[0]}>" if len(keys) == 1 else None


PropertyEntry = Annotated[
    Annotated[ConstantProperty, Tag("<value>")]
    | Annotated[TableProperty, Tag("<table>")]
    | Annotated[CurveProperty, Tag("<curve>")],
    Discriminator(
        _form,
        custom_error_type="expected",
        custom_error_message=f"a table with one of value, table and curve, such as {FORM}",
    ),
]


def fields_in_files(cls: type[eqx.Module]) -> tuple[str, ...]:
    """Fields of a part of the cell that a file gives: those without a default."""
    return tuple(
        f.name
        for f in dataclasses.fields(cls)
        if f.default is dataclasses.MISSING and f.name not in NOT_IN_FILES
    )


def _keys(cls: type[eqx.Module]) -> dict[str, Any]:
    """Keys and types of the table of a part of the cell."""
    hints, keys = get_type_hints(cls), {}
    said = dict(_ATTRIBUTE.findall(cls.__doc__ or ""))
    for name in fields_in_files(cls):
        kind, about = hints[name], " ".join(said.get(name, "").split())
        if kind is Property:
            kind = PropertyEntry
        elif isinstance(kind, type) and issubclass(kind, eqx.Module):
            kind = _part(kind)
        else:
            kind, about = Number, about or f"[{unit_of(cls, name)}]"
        keys[name] = (kind, Field(description=about or None))
    return keys


@functools.cache
def _part(cls: type[eqx.Module]) -> type[Strict]:
    """The model of the table of a part of the cell."""
    return create_model(
        cls.__name__, __base__=Strict, __doc__=_first_line(cls), **_keys(cls)
    )


class Header(Strict):
    """What a set says of itself."""

    title: Annotated[Text, Field(description="one line")]
    citation: Annotated[Text, Field(description="how to cite the set")]
    licence: Annotated[Text, Field(description="of its numbers")]
    level: Annotated[Level, Field(description="probability of every range in the file")]
    mesh: Annotated[
        MeshCounts | None,
        Field(description="n_neg, n_sep, n_pos, n_r; else chosen for the cell"),
    ] = None
    sources: Annotated[
        dict[str, Text], Field(description="texts that a source may name in braces")
    ] = {}


SetFile = create_model(
    "ParameterSet",
    __base__=Header,
    __doc__="A parameter set of naion.",
    **_keys(Cell),
)
"""The whole file."""
