"""Every number of a cell, and whether it is within what is possible.

`check_as` raises and names what is wrong, `possible` says so inside compiled programs; both
read the ranges that fields declare. Parts are met by their declarations: the `Cell` itself
uses this module.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Bool

from ..properties import (
    MSMR,
    AbstractCurve,
    Constant,
    Corrected,
    PiecewiseCubic,
    PowerExponential,
    PowerSeries,
    Property,
    Table,
    TanhSum,
    Walled,
    WholeOfPart,
)
from ._misfits import is_number, misfits
from ._range import FINITE, Over, Range, Term
from ._ranges import range_of, rules_of

STOICHIOMETRIES = np.linspace(0.01, 0.99, 50)
"""At which properties of solids are looked at: at the very ends some are zero."""

SALT = np.linspace(0.1, 2.0, 39)
"""At which properties of the electrolyte are, over the initial concentration."""

_FINITE_CURVES = (
    Constant,
    Corrected,
    MSMR,
    PiecewiseCubic,
    PowerExponential,
    PowerSeries,
    Table,
    TanhSum,
    Walled,
    WholeOfPart,
)
"""Finite where their numbers are: there is nothing to evaluate."""


class Number(NamedTuple):
    """Numbers of a cell with what they can be.

    Attributes:
        path: of the field.
        terms: whose sum they are, of equal lengths.
        range: for each of them.
        along: what they are listed along, and where, if they are values of a curve.
    """

    path: str
    terms: tuple[Term, ...]
    range: Range
    along: tuple[str, Any] | None = None


def check_as(cell: Any, kind: type[eqx.Module]) -> None:
    """Whether every number of a cell is possible. Traced cells are not looked at.

    Args:
        cell: one, or many stacked along leading axes of every number.
        kind: of part that it has to be: `Cell`.

    Raises:
        ValueError: with all that is not: its field, what was given, what is expected.
    """
    leaves = jax.tree.leaves(cell)
    if any(isinstance(leaf, Tracer) for leaf in leaves):
        return
    stacked = np.shape(getattr(cell, "area", 0.0)) if isinstance(cell, kind) else ()
    if stacked and all(np.shape(a)[: len(stacked)] == stacked for a in leaves):
        _check_each(cell, kind)
        return
    wrong = list(misfits(cell, "", kind))
    if not wrong:
        wrong = _impossible(cell)
    if wrong:
        raise ValueError(
            f"This cell cannot be: {len(wrong)} of its numbers or parts "
            f"{'is' if len(wrong) == 1 else 'are'} not possible.\n  "
            + "\n  ".join(wrong)
        )


def _check_each(cells: Any, kind: type[eqx.Module]) -> None:
    axes = np.ndim(cells.area)
    every = jax.tree.map(lambda a: jnp.reshape(a, (-1, *a.shape[axes:])), cells)
    fine = np.asarray(jax.vmap(possible)(every))
    if np.all(fine):
        return
    first = int(np.argmin(fine))
    try:
        check_as(jax.tree.map(lambda a: a[first], every), kind)
    except ValueError as error:
        raise ValueError(
            f"{np.sum(~fine)} of {fine.size} cells cannot be. The first is cell {first}, "
            f"from 0. {error}"
        ) from None


# Traced once for each kind of cell, however often programs ask for it.
@jax.jit
def possible(cell: Any) -> Bool[Array, ""]:
    """Whether every number of a cell is possible, for use inside compiled programs.

    The outcome `Result.IMPOSSIBLE_NUMBER` comes from here; `check` says what is wrong.
    """
    # One gather and one comparison for all: each operation more costs as much to compile.
    flat: list[Array] = []
    places: dict[int, np.ndarray] = {}
    kept = []
    rows: list[list[tuple[np.ndarray, float]]] = []
    low, high = [], []
    for number in _numbers(cell):
        sums = []
        for value, factor, which in number.terms:
            if id(value) not in places:
                # Else another number could come to have the same identity.
                kept.append(value)
                start = sum(a.size for a in flat)
                places[id(value)] = np.arange(start, start + np.size(value))
                flat.append(lax.reshape(jnp.asarray(value, float), (np.size(value),)))
            sums.append((places[id(value)][which], factor))
        rows.append(sums)
        ends = number.range.strict
        low.append(np.full(sums[0][0].shape, ends[0]))
        high.append(np.full(sums[0][0].shape, ends[1]))
    every = lax.stop_gradient(lax.concatenate(flat, 0))
    place, factor = _padded(rows)
    at = every.at[place].get(mode="promise_in_bounds", wrap_negative_indices=False)
    found = jnp.sum(at * factor, axis=0)
    # NaN is in no range.
    return jnp.all((found > np.concatenate(low)) & (found < np.concatenate(high)))


def _padded(
    rows: list[list[tuple[np.ndarray, float]]],
) -> tuple[np.ndarray, np.ndarray]:
    """Places and factors of sums, (most terms, sums); missing terms are zero."""
    most = max(len(row) for row in rows)
    place, factor = [], []
    for row in rows:
        blank = [(row[0][0], 0.0)] * (most - len(row))
        place.append(np.stack([where for where, _ in [*row, *blank]]))
        factor.append(np.stack([np.full(w.shape, f) for w, f in [*row, *blank]]))
    return np.concatenate(place, axis=1), np.concatenate(factor, axis=1)


def _impossible(cell: Any) -> list[str]:
    wrong: list[str] = []
    found: list[str] = []
    # Operators of NumPy: nothing is compiled for concrete cells.
    cell = jax.tree.map(lambda a: np.asarray(a) if is_number(a) else a, cell)
    try:
        for number in _numbers(cell):
            with np.errstate(all="ignore"):
                value = np.sum([_taken(term) for term in number.terms], axis=0)
            low, high = number.range.strict
            outside = ~((value > low) & (value < high))
            # A curve is wrong where its numbers are: said already.
            known = any(path.startswith(f"{number.path}.") for path in found)
            if np.any(outside) and not known:
                found.append(number.path)
                wrong.append(_said(number, value, int(np.argmax(outside))))
    except ValueError as error:
        wrong.append(str(error))
    return wrong


def _taken(term: Term) -> np.ndarray:
    return term.factor * np.ravel(np.asarray(term.value, float))[term.which]


def _said(number: Number, value: np.ndarray, first: int) -> str:
    unit = f" {number.range.unit}" if number.range.unit else ""
    at = f" at point {first + 1}" if value.size > 1 else ""
    if number.along is not None:
        name, where = number.along
        at = f" at {name} {np.ravel(where)[first]:.4g}"
    summed = ""
    if len(number.terms) > 1:
        signs = (("-", "+")[t.factor > 0.0] for t in number.terms)
        each = (abs(float(_taken(t)[first])) for t in number.terms)
        summed = " ".join(f"{s} {x:g}" for s, x in zip(signs, each, strict=True))
        summed = f"{summed.removeprefix('+ ')} = "
    given = f"{summed}{value[first]:g}{unit}"
    return f"{number.path} = {given}{at}: expected {number.range}."


def _numbers(cell: Any) -> Iterator[Number]:
    """Every number of a cell, and the values of its properties."""
    yield from _of_part(cell, "", cell)


def _of_part(part: eqx.Module, path: str, cell: Any) -> Iterator[Number]:
    for field in dataclasses.fields(part):
        if field.metadata.get("static"):
            continue
        where = f"{path}.{field.name}" if path else field.name
        value, range = getattr(part, field.name), range_of(type(part), field.name)
        if isinstance(value, Property) and isinstance(range, Over):
            yield from _of_part(value, where, cell)
            yield from _of_property(value, where, range, cell)
        elif range is not None:
            yield from _of_value(value, where, cell, range)
    for rule in rules_of(type(part)):
        where = f"{path}: {rule.text}" if path else rule.text
        yield Number(where, rule.terms(part), rule.range)


def _of_value(value: Any, path: str, cell: Any, range: Any) -> Iterator[Number]:
    if isinstance(value, eqx.Module):
        yield from _of_part(value, path, cell)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _of_value(item, f"{path}[{i}]", cell, range)
    elif is_number(value):
        yield Number(path, (Term(value),), range)


def _of_property(p: Property, path: str, over: Over, cell: Any) -> Iterator[Number]:
    """What a property gives at the cell's temperature."""
    range, curve = over.range, p.curve
    if range._replace(unit="") == FINITE and isinstance(curve, _FINITE_CURVES):
        return
    scale = p.scale
    if range.is_sign:
        # The scale and the curve each have the sign: two wrong ones make no right one.
        yield Number(f"{path}.scale", (Term(scale),), range._replace(unit=""))
        scale = None

    def times(value: Any) -> tuple[Term, ...]:
        return (Term(value if scale is None else scale * value),)

    if isinstance(curve, Constant):
        yield Number(path, times(curve.value), range)
        return
    if isinstance(curve, PowerExponential) and range.is_sign:
        yield Number(f"{path}.curve.size", times(curve.size), range)
        return
    if isinstance(curve, Table):
        along = "x =", curve.x
        if range.is_sign and over.where != "stoichiometry":
            # Without salt some are zero, as measured, but not with much of it.
            yield Number(path, (Term(curve.y, 1.0, slice(-1, None)),), range)
            range = range._replace(ends=(True, False))
        yield Number(path, times(curve.y), range, along)
        if curve.extrapolation == "clamp":
            return
    x = compositions(over, cell)
    try:
        with np.errstate(all="ignore"):
            values = times(_evaluated(curve, x, cell.temperature))
    except (TypeError, ValueError) as error:
        # Text that is no expression, coefficients without exponents.
        raise ValueError(f"{path}: {error}") from None
    yield Number(path, values, range, (over.where, x))


def compositions(over: Over | None, cell: Any) -> Any:
    """Where a property is looked at."""
    if over is None or over.where == "stoichiometry":
        return STOICHIOMETRIES
    salt = cell.electrolyte.concentration
    return salt * (SALT if over.where == "salt" else np.ones(1))


def _evaluated(curve: AbstractCurve, x: Any, T: Any) -> Any:
    """A curve's values; of the commonest in operators that NumPy has too."""
    if isinstance(curve, PowerSeries):
        pairs = zip(curve.coefficient, curve.exponent, strict=True)
        return sum(c * (x / 1000.0) ** e for c, e in pairs)
    return curve.at(jnp.asarray(T))(jnp.asarray(x))
