"""Check that every number of a cell is possible, by the ranges that its fields declare.

`check_as` raises and names what is wrong; `possible` gives a logical value inside compiled
programs. Both go through the declared fields and do not import `Cell`, which itself uses this
module.
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
"""Stoichiometries at which properties of solids are checked; at the very ends some are
zero."""

SALT = np.linspace(0.1, 2.0, 39)
"""Salt concentrations, over the initial one, at which electrolyte properties are
checked."""

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
"""Curves that are finite if their numbers are, and so need not be evaluated for that."""


class Number(NamedTuple):
    """One or several numbers of a cell, with the range in which they must lie.

    Attributes:
        path: path of the field, for messages.
        terms: terms of equal lengths whose sum must lie in the range.
        range: the range.
        along: for values of a curve, name and values of the abscissa.
    """

    path: str
    terms: tuple[Term, ...]
    range: Range
    along: tuple[str, Any] | None = None


def check_as(cell: Any, kind: type[eqx.Module]) -> None:
    """Check that every number of a cell is possible. Traced cells are not checked.

    Args:
        cell: one cell, or many stacked along leading axes of every number.
        kind: the class that it has to be of: `Cell`.

    Raises:
        ValueError: naming all numbers that are not possible, with what is expected.
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
    """Check stacked cells, and name what is wrong with the first that is not possible."""
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


# Jitted, so that it is traced only once for each structure of cell.
@jax.jit
def possible(cell: Any) -> Bool[Array, ""]:
    """Whether every number of a cell is possible, for use inside compiled programs.

    The outcome `Result.IMPOSSIBLE_NUMBER` comes from here; `check` says what is wrong.
    """
    # All numbers are gathered and compared at once, as compiling takes a time that is
    # proportional to the number of operations.
    flat: list[Array] = []
    places: dict[int, np.ndarray] = {}
    kept = []
    rows: list[list[tuple[np.ndarray, float]]] = []
    low, high = [], []
    for number in _numbers(cell):
        sums = []
        for value, factor, which in number.terms:
            if id(value) not in places:
                # Kept alive, so that no other number can get the same id.
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
    """Indices and factors of the terms of all sums, (terms, sums); padded by zeros."""
    most = max(len(row) for row in rows)
    place, factor = [], []
    for row in rows:
        blank = [(row[0][0], 0.0)] * (most - len(row))
        place.append(np.stack([where for where, _ in [*row, *blank]]))
        factor.append(np.stack([np.full(w.shape, f) for w, f in [*row, *blank]]))
    return np.concatenate(place, axis=1), np.concatenate(factor, axis=1)


def _impossible(cell: Any) -> list[str]:
    """Sentences on all numbers that are not possible."""
    wrong: list[str] = []
    found: list[str] = []
    # As NumPy arrays, so that nothing needs to be compiled.
    cell = jax.tree.map(lambda a: np.asarray(a) if is_number(a) else a, cell)
    try:
        for number in _numbers(cell):
            with np.errstate(all="ignore"):
                value = np.sum([_taken(term) for term in number.terms], axis=0)
            low, high = number.range.strict
            outside = ~((value > low) & (value < high))
            # A curve is wrong if its own numbers are, which are reported already.
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
    """All numbers of a cell, and values of its properties."""
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
    """Numbers of a property, and its values at the cell's temperature."""
    range, curve = over.range, p.curve
    if range._replace(unit="") == FINITE and isinstance(curve, _FINITE_CURVES):
        return
    scale = p.scale
    if range.is_sign:
        # Scale and curve must each have the sign: two wrong signs make a right product.
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
            # Some measured properties are zero without salt, so that zero is allowed but at
            # the last point.
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
        # For example broken expressions, or coefficients without exponents.
        raise ValueError(f"{path}: {error}") from None
    yield Number(path, values, range, (over.where, x))


def compositions(over: Over | None, cell: Any) -> Any:
    """Compositions at which a property is checked."""
    if over is None or over.where == "stoichiometry":
        return STOICHIOMETRIES
    salt = cell.electrolyte.concentration
    return salt * (SALT if over.where == "salt" else np.ones(1))


def _evaluated(curve: AbstractCurve, x: Any, T: Any) -> Any:
    """Values of a curve; of the commonest one by NumPy, so that nothing is compiled."""
    if isinstance(curve, PowerSeries):
        pairs = zip(curve.coefficient, curve.exponent, strict=True)
        return sum(c * (x / 1000.0) ** e for c, e in pairs)
    return curve.at(jnp.asarray(T))(jnp.asarray(x))
