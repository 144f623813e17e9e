"""Readable names of a cell's numbers, such as "Negative electrode thickness [m]".

They are made from the declarations of the fields: place, title and unit of a number.
"""

import dataclasses
import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..properties import AbstractCurve, Constant, Property, Table
from ._misfits import is_number
from ._range import Over
from ._ranges import range_of, unit_of

NOUNS = {
    "negative": "Negative",
    "positive": "Positive",
    "separator": "Separator",
    "electrolyte": "Electrolyte",
    "thermal": "Cell",
    "limits": "",
    "kinetics": "Kinetics",
}
"""Words for the fields of a cell, with which names of numbers inside them begin."""

UNSAID = ("mesh", "defaults")
"""Fields with numbers of a cell's simulations, which have no names."""

PYBAMM = {
    "Electrode area [m2]": ("area",),
    "Nominal cell capacity [A.h]": ("nominal_capacity",),
    "Contact resistance [Ohm]": ("contact_resistance",),
    "Lower voltage cut-off [V]": ("limits", "lower_voltage"),
    "Upper voltage cut-off [V]": ("limits", "upper_voltage"),
    "Reference temperature [K]": ("temperature",),
    "Initial concentration in electrolyte [mol.m-3]": ("electrolyte", "concentration"),
    "Cation transference number": ("electrolyte", "t_plus"),
    "Thermodynamic factor": ("electrolyte", "thermodynamic_factor"),
    **{
        name.format(Side=side.capitalize(), side=side): (side, *path)
        for side in ("negative", "positive")
        for name, path in {
            "Maximum concentration in {side} electrode [mol.m-3]": (
                "particle",
                "c_max",
            ),
            "{Side} electrode active material volume fraction": ("active_fraction",),
            "{Side} electrode OCP [V]": ("particle", "ocp"),
            "{Side} electrode OCP entropic change [V.K-1]": ("particle", "dudt"),
        }.items()
    },
}
"""Names of PyBaMM that differ from naion's, and the path of the same number."""


class Named(NamedTuple):
    """A number or a curve of a cell, with its name.

    Attributes:
        name: readable name, with the unit in brackets if it has one.
        path: fields, and indices in tuples, from the cell inwards.
        unit: SI unit, "-" for none.
        value: a number, an array of numbers of many cells, or a `Property`.
        over: range of a property's values, and the compositions at which it holds.
    """

    name: str
    path: tuple[str | int, ...]
    unit: str
    value: Any
    over: Over | None = None

    @property
    def dotted(self) -> str:
        """The path as one text, as parameter sets and fits write it."""
        return ".".join(map(str, self.path))


def named(cell: eqx.Module) -> list[Named]:
    """All numbers and curves of a cell, with those of optional parts that it has."""
    return list(_inside(cell, (), ""))


def _inside(part: Any, path: tuple, prefix: str) -> Iterator[Named]:
    """Numbers and curves of a part, whose names begin with `prefix`."""
    for field in dataclasses.fields(part):
        if field.metadata.get("static") or field.name in UNSAID:
            continue
        value, where = getattr(part, field.name), (*path, field.name)
        title = field.metadata.get("title", field.name.replace("_", " "))
        noun = "electrode" if _is_electrode(part) else ""
        if isinstance(value, tuple):
            for i, item in enumerate(value):
                if not dataclasses.is_dataclass(item):
                    continue
                which = f"material {i + 2}" if field.name == "others" else _kind(item)
                yield from _inside(item, (*where, i), f"{prefix} {which}".strip())
        elif isinstance(value, Property) or is_number(value):
            words = f"{prefix} {noun} {title}".split()
            yield _of(part, field.name, where, " ".join(words), value)
        elif dataclasses.is_dataclass(value):
            own = NOUNS.get(field.name, title) if not path else _short(title)
            yield from _inside(value, where, f"{prefix} {own}".strip())


def _is_electrode(part: Any) -> bool:
    """Whether a part is an electrode, which has particles and a thickness."""
    names = {f.name for f in dataclasses.fields(part)}
    return {"particle", "thickness"} <= names


def _kind(part: Any) -> str:
    """The name of a class as words, for processes that users have written."""
    text = type(part).__name__
    return "".join(f" {c.lower()}" if c.isupper() else c for c in text).strip()


def _short(title: str) -> str:
    return {"sei": "SEI", "through plane": "heat through stack"}.get(title, title)


def _of(part: Any, field: str, path: tuple, words: str, value: Any) -> Named:
    unit = unit_of(type(part), field)
    text = words[0].upper() + words[1:]
    over = range_of(type(part), field)
    return Named(
        text if unit == "-" else f"{text} [{unit}]",
        path,
        unit,
        value,
        over if isinstance(over, Over) else None,
    )


def found(cell: eqx.Module, name: str) -> Named:
    """The number or curve with a readable name, a dotted path, or a name of PyBaMM.

    Raises:
        KeyError: for an unknown name, with the nearest ones.
    """
    every = named(cell)
    by_name = {n.name: n for n in every} | {n.dotted: n for n in every}
    by_path = {n.path: n for n in every}
    by_name |= {k: by_path[p] for k, p in PYBAMM.items() if p in by_path}
    if name in by_name:
        return by_name[name]
    if isinstance(name, str):
        # A name is also found without its unit, and whatever its capitals are.
        plain = {k.rsplit(" [", 1)[0].lower(): n for k, n in by_name.items()}
        if "[" not in name and name.lower() in plain:
            return plain[name.lower()]
    said = str(name)
    unit = (
        f" The unit is [{u.unit}]: give SI." if (u := _other_unit(said, every)) else ""
    )
    low = {k.lower(): k for k in by_name}
    near = difflib.get_close_matches(said.lower(), low, n=3, cutoff=0.4)
    near = near or [k for k in low if said.lower() in k][:3]
    hint = ", ".join(low[k] for k in near) or ", ".join(n.name for n in every[:3])
    raise KeyError(
        f"This cell has no number {said!r:.80}.{unit} Nearest: {hint}. "
        "`cell.keys()` lists all, `cell.search(text)` finds some."
    )


def path_of(cell: eqx.Module, text: str) -> str:
    """The dotted path that a readable name means; a path is given back as it is.

    Raises:
        KeyError: for a name that is none of the cell's, with the nearest ones.
        ValueError: for the name of a curve, of which a fit moves the scale.
    """
    if " " not in text and "[" not in text:
        return text
    there = found(cell, text)
    if isinstance(there.value, Property):
        raise ValueError(
            f"{text!r} is {there.dotted}, a curve: give the path {there.dotted}.scale, a "
            "factor of all of it, with bounds such as [0.1, 10.0]."
        )
    return there.dotted


def _other_unit(name: str, every: list[Named]) -> Named | None:
    words = name.rsplit(" [", 1)[0].lower()
    return next((n for n in every if n.name.rsplit(" [", 1)[0].lower() == words), None)


def replaced(cell: Any, path: tuple, value: Any) -> Any:
    """The cell with another value at a path."""
    if not path:
        return value
    first, *rest = path
    if isinstance(first, int):
        new = list(cell)
        new[first] = replaced(new[first], tuple(rest), value)
        return tuple(new)
    inner = replaced(getattr(cell, first), tuple(rest), value)
    return dataclasses.replace(cell, **{first: inner})


def as_given(there: Named, value: Any, stacked: tuple[int, ...]) -> Any:
    """A user's value in the form in which a field holds it.

    Args:
        there: the present number or curve.
        value: a number; for a curve also a `Property`, a curve, or two columns (x, y).
        stacked: leading axes of the cell's numbers, () for one cell.

    Raises:
        TypeError: for anything else.
        ValueError: for numbers of another shape.
    """
    if not isinstance(there.value, Property):
        return _number(there, value, stacked)
    if isinstance(value, Property):
        return value
    if not isinstance(value, AbstractCurve):
        if isinstance(value, tuple | list) and len(value) == 2:
            x, y = (np.asarray(column, float) for column in value)
            value = Table(x, y)
        else:
            value = Constant(_number(there, value, stacked))
    law = there.value.temperature
    scale = jnp.ones_like(there.value.scale)
    return Property(value, law, scale, there.value.valid)


def _number(there: Named, value: Any, stacked: tuple[int, ...]) -> Any:
    usable = is_number(value) or isinstance(value, Tracer)
    if usable and not isinstance(value, bool):
        array = jnp.asarray(value, float)
        if array.shape == stacked:
            return array
        if array.shape == ():
            return jnp.broadcast_to(array, stacked)
        raise ValueError(
            f"{there.name}: got numbers of shape {array.shape}; expected one number"
            + (f", or one for each cell, {stacked}." if stacked else ".")
        )
    curve = ""
    if isinstance(there.value, Property):
        curve = ", a curve of `naion.properties`, or two columns (x, y)"
    raise TypeError(
        f"{there.name} = {value!r:.60}: expected a number in {there.unit}{curve}."
    )
