"""Electrode balance: the stoichiometries at a voltage or a state of charge."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._constants import F
from .._takes import takes
from .._traced import is_traced
from ..properties import Corrected, Table, prepare
from ._cell import Cell, Electrode, Particle, Stoichiometry
from ._known import is_half_cell


@takes
def electrode_capacities(cell: Cell) -> tuple[Array, Array]:
    """Capacity of each electrode between stoichiometries 0 and 1 [A.h]."""

    def capacity(electrode: Electrode) -> Array:
        sites = sum(_sites(electrode), start=jnp.zeros(()))
        return cell.area * electrode.thickness * sites * F / 3600.0

    return capacity(cell.negative), capacity(cell.positive)


def check_discharged(cell: Cell, charge: float, name: str) -> None:
    """Raise for more charge than the negative electrode can hold, in either direction.

    In a half cell the working electrode counts, as the metal holds more than is ever
    needed. A cell that JAX traces is not checked.

    Args:
        cell: the cell.
        charge: charge taken out or put in [A.h].
        name: name of the charge, for messages.

    Raises:
        ValueError: with what the electrode holds.
    """
    which = 1 if is_half_cell(cell) else 0
    holds = electrode_capacities(cell)[which]
    if not isinstance(holds, Tracer) and abs(charge) > float(holds):
        electrode = ("negative", "working")[which]
        raise ValueError(
            f"{name} {charge:g} A.h; the {electrode} electrode holds {float(holds):.3g} "
            "A.h. Is it in mA.h?"
        )


AFTER_CHARGE = 1.0
"""Branch of a cell's hysteresis on which it is after a charge; 0 is the mean of both."""

AFTER_DISCHARGE = -1.0
"""Branch on which it is after a discharge."""


@takes
def open_circuit_voltage(
    cell: Cell, sto: Stoichiometry, T: Array, branch: Array | float = 0.0
) -> Array:
    """Open-circuit voltage U_p - U_n at mean stoichiometries [V].

    Args:
        cell: the cell.
        sto: mean stoichiometries.
        T: temperature [K].
        branch: branch of the hysteresis, from 1 (after a charge) to -1 (after a discharge).
    """
    at = T, cell.temperature
    U_n = equilibrium_potential(cell.negative, sto.negative, *at, -branch)
    U_p = equilibrium_potential(cell.positive, sto.positive, *at, branch)
    return U_p - U_n


def equilibrium_potential(
    electrode: Electrode,
    sto: Array,
    T: Array,
    reference: Array,
    branch: Array | float = 0.0,
) -> Array:
    """Equilibrium potential U of an electrode at a mean stoichiometry, against the metal [V].

    Args:
        electrode: electrode of one material, or of several.
        sto: mean stoichiometry of all sites; of any shape for one material, () for several.
        T: temperature [K].
        reference: temperature at which open-circuit potentials are given [K].
        branch: state h of every hysteresis, -1 to 1.
    """
    first = electrode.materials[0].particle
    x = compositions(electrode, sto, T, reference, branch)[0]
    return _potential(first, x, T, reference, branch)


def _potential(
    p: Particle, x: Array, T: Array, reference: Array, branch: Array | float
) -> Array:
    """U(x, T): the curve at T, plus (T - reference) times `dudt`, on a branch [V]."""
    U = p.ocp(x, T) + (T - reference) * p.dudt(x, T)
    return U if p.hysteresis is None else U + branch * p.hysteresis.half_width(x, T)


def compositions(
    electrode: Electrode,
    sto: Array,
    T: Array,
    reference: Array,
    branch: Array | float = 0.0,
) -> tuple[Array, ...]:
    """Stoichiometry of each material of an electrode when all have the same potential.

    A first guess comes from tables of all potentials. Newton steps then correct it, and
    also give exact derivatives (implicit function theorem). Arguments as of
    `equilibrium_potential`.
    """
    if not electrode.others:
        return (sto,)
    sites = jnp.stack(_sites(electrode))
    share = sites / jnp.sum(sites)
    particles = [prepare(m.particle) for m in electrode.materials]

    def potential(p: Particle, x: Array) -> Array:
        return _potential(p, x, T, reference, branch)

    ends = jnp.geomspace(1e-6, 0.02, 100)
    fine = jnp.concatenate([ends[:-1], jnp.linspace(0.02, 0.98, 801), 1 - ends[-2::-1]])
    # Potentials fall with stoichiometry, but `interp` wants rising abscissae: reversed.
    tables = [jax.lax.stop_gradient(potential(p, fine))[::-1] for p in particles]
    U = jnp.sort(jnp.concatenate(tables))
    each = jnp.stack([jnp.interp(U, table, fine[::-1]) for table in tables])
    known = jax.lax.stop_gradient(share)
    mean = known @ each
    place = jnp.interp(-jax.lax.stop_gradient(sto), -mean, jnp.arange(len(U)))
    x = jnp.stack([jnp.interp(place, jnp.arange(len(U)), row) for row in each])

    def correct(x: Array) -> Array:
        """One Newton step on x_k: equal potentials, and the mean as given."""
        x = jax.lax.stop_gradient(jnp.clip(x, 1e-7, 1.0 - 1e-7))
        values, slopes = [], []
        for p, here in zip(particles, x, strict=True):
            values.append(potential(p, here))
            slopes.append(jax.grad(lambda z, p=p: potential(p, z))(here))
        slope = jax.lax.stop_gradient(jnp.stack(slopes))
        U_k = jnp.stack(values)
        rest = x - U_k / slope
        common = (sto - share @ rest) / (share @ (1.0 / slope))
        return rest + common / slope

    for _ in range(3):
        x = correct(x)
    return tuple(x)


@takes
def stoichiometry_at_voltage(cell: Cell, voltage: Array | float) -> Stoichiometry:
    """Stoichiometries at rest at an open-circuit voltage, at `cell.temperature`.

    The sodium in the cell, x_n Q_n + x_p Q_p, is that of its published state. With
    hysteresis, the mean of both branches is used. Differentiable.

    Args:
        cell: the cell.
        voltage: open-circuit voltage [V].

    Raises:
        ValueError: for a voltage at which the cell cannot rest, with the range in which it
            can. Where JAX traces the voltage or the cell, both stoichiometries are NaN.
    """
    if isinstance(voltage, str | bool) or np.shape(voltage) != ():
        raise ValueError(
            f"voltage={voltage!r}: expected one number of volts. Many voltages are many "
            "calls (`jax.vmap`)."
        )
    find = _at_voltage if is_traced((cell, voltage)) else _at_voltage_compiled
    sto, rests, lowest, highest = find(cell, voltage)
    if not isinstance(rests, Tracer) and not rests:
        raise ValueError(
            f"The cell cannot rest at {float(voltage):g} V: its sodium and its tables "
            f"allow {float(lowest):.4g} to {float(highest):.4g} V."
        )
    return jax.tree.map(lambda x: jnp.where(rests, x, jnp.nan), sto)


def _at_voltage(
    cell: Cell, voltage: Array | float
) -> tuple[Stoichiometry, Array, Array, Array]:
    """Look for the state of rest at a voltage.

    Returns:
        the stoichiometries, whether the cell can rest there, and the lowest and highest
        voltage at which it can [V].
    """
    spans = _span(cell.negative), _span(cell.positive)
    cell = with_ready_curves(cell)
    lowest, highest = _rests(cell, spans)
    sto = _nearest(cell, voltage)
    off = jnp.abs(open_circuit_voltage(cell, sto, cell.temperature) - voltage)
    rests = (voltage >= lowest) & (voltage <= highest) & (off < 1e-6)
    return sto, rests, lowest, highest


# Compiled as one program, which is cached on disk; operation by operation it takes many
# times as long.
_at_voltage_compiled = jax.jit(_at_voltage)


FAR = 1.0
"""Furthest beyond its voltage limits that a cell may rest [V]; the walls at the ends of
tables reach any voltage."""

Span = tuple[Any, Any]


def _rests(cell: Cell, spans: tuple[Span, Span]) -> tuple[Array, Array]:
    """Lowest and highest voltage at which a cell can rest [V].

    A cell can rest within its tables, and also beyond them within its voltage limits, as
    some published charged states lie slightly outside of their tables.
    """
    Q_n, Q_p, inventory = _sodium(cell)
    empty, full = _ends(cell)
    (low_n, high_n), (low_p, high_p) = spans
    first = jnp.maximum(low_n, (inventory - Q_p * high_p) / Q_n)
    last = jnp.minimum(high_n, (inventory - Q_p * low_p) / Q_n)
    tables = jnp.clip(jnp.stack([first, last]), empty, full)

    def voltage(x_n: Array) -> Array:
        return open_circuit_voltage(cell, _state(cell, x_n), cell.temperature)

    lower, upper = cell.limits.lower_voltage, cell.limits.upper_voltage
    lowest = jnp.maximum(jnp.minimum(voltage(tables[0]), lower), lower - FAR)
    highest = jnp.minimum(jnp.maximum(voltage(tables[1]), upper), upper + FAR)
    return jnp.maximum(lowest, voltage(empty)), jnp.minimum(highest, voltage(full))


def _span(electrode: Electrode) -> Span:
    """First and last stoichiometry of the table of an electrode's potential."""
    curve = electrode.particle.ocp.curve
    while isinstance(curve, Corrected):
        curve = curve.base
    if electrode.others or not isinstance(curve, Table):
        return 0.0, 1.0
    return curve.x[0], curve.x[-1]


def _sodium(cell: Cell) -> tuple[Array, Array, Array]:
    """Capacities of both electrodes, and the sodium in the cell [A.h]."""
    Q_n, Q_p = electrode_capacities(cell)
    x = cell.published
    return Q_n, Q_p, x.negative * Q_n + x.positive * Q_p


def _state(cell: Cell, x_n: Array) -> Stoichiometry:
    Q_n, Q_p, inventory = _sodium(cell)
    return Stoichiometry(x_n, (inventory - x_n * Q_n) / Q_p)


OUTERMOST = 1e-3
"""Closest to empty or full that the electrode of a half cell may rest: tables end before,
and the metal alone would let it go on until no sodium, or no free site, is left."""


def _ends(cell: Cell) -> tuple[Array, Array]:
    """Least and greatest x_n that the sodium in the cell allows."""
    Q_n, Q_p, inventory = _sodium(cell)
    margin = OUTERMOST * Q_p if is_half_cell(cell) else 0.0
    low = jnp.maximum(0.0, (inventory - Q_p + margin) / Q_n)
    high = jnp.minimum(1.0, (inventory - margin) / Q_n)
    return jax.lax.stop_gradient((low, high))


def _nearest(
    cell: Cell, voltage: Array | float, branch: Array | float = 0.0
) -> Stoichiometry:
    """Stoichiometries at rest at a voltage, or at the nearest voltage that is possible.

    Bisection on x_n over all states that the sodium in the cell allows, then one Newton
    step that gives exact derivatives (implicit function theorem).
    """

    def excess(x_n: Array) -> Array:
        sto = _state(cell, x_n)
        return open_circuit_voltage(cell, sto, cell.temperature, branch) - voltage

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        below = excess(middle) < 0.0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, 60, halve, _ends(cell))
    x_n = jax.lax.stop_gradient(0.5 * (low + high))
    slope = jax.lax.stop_gradient(jax.grad(excess)(x_n))
    # No Newton step where there is no root: at the ends that the sodium allows, and where
    # a table is continued at a constant value.
    residual = excess(x_n)
    reached = (jnp.abs(residual) < 1e-6) & (slope != 0.0)
    slope = jnp.where(reached, slope, 1.0)
    return _state(cell, x_n - jnp.where(reached, residual, 0.0) / slope)


@takes
def with_ready_curves(cell: Cell) -> Cell:
    """The cell with its curves prepared for many evaluations; see `properties.prepare`."""
    ready = prepare((cell.negative, cell.positive))
    return dataclasses.replace(cell, negative=ready[0], positive=ready[1])


@takes
def stoichiometry_at_soc(cell: Cell, soc: Array | float) -> Stoichiometry:
    """Stoichiometries at a state of charge (SOC).

    At SOC 0 and 1 the cell rests at its lower and upper voltage limit. In between the SOC
    is linear in charge, and so in both stoichiometries.

    Args:
        cell: the cell.
        soc: state of charge, 0 to 1; it may be up to 0.05 beyond.

    Raises:
        ValueError: for anything but a state of charge.
    """
    check_soc("soc", soc)
    empty, full = stoichiometries_at_limits(cell)
    return Stoichiometry(
        empty.negative + soc * (full.negative - empty.negative),
        empty.positive + soc * (full.positive - empty.positive),
    )


@takes
def stoichiometries_at_limits(cell: Cell) -> tuple[Stoichiometry, Stoichiometry]:
    """Stoichiometries at rest at the lower and at the upper voltage limit.

    With hysteresis, those after a discharge and after a charge. Where the cell cannot rest
    at a limit, those at the nearest voltage at which it can.
    """
    return (_at_limits if is_traced(cell) else _at_limits_compiled)(cell)


def _at_limits(cell: Cell) -> tuple[Stoichiometry, Stoichiometry]:
    cell = with_ready_curves(cell)
    limits = jnp.stack([cell.limits.lower_voltage, cell.limits.upper_voltage])
    # Both ends in one vectorised loop, which compiles faster than two.
    branches = jnp.array([AFTER_DISCHARGE, AFTER_CHARGE])
    both = jax.vmap(lambda *at: _nearest(cell, *at))(limits, branches)
    empty, full = (jax.tree.map(lambda a, k=k: a[k], both) for k in (0, 1))
    return empty, full


_at_limits_compiled = jax.jit(_at_limits)


OVER = 0.05
"""How far a state of charge may be below 0 or above 1."""


def check_soc(name: str, soc: Any) -> None:
    """Raise for a state of charge, or several, that is not between 0 and 1."""
    if isinstance(soc, Tracer):
        return
    try:
        values = np.asarray(soc, float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}={soc!r}: a state of charge is a number, 0 to 1."
        ) from None
    wrong = values[~((values >= -OVER) & (values <= 1.0 + OVER))]
    if not np.size(wrong):
        return
    value = float(wrong.flat[0])
    percent = f"; {value:g} % is {value / 100.0:g}" if 1.0 < value <= 100.0 else ""
    raise ValueError(
        f"{name}={value:g}: a state of charge is a fraction, 0 to 1{percent}."
    )


def _sites(electrode: Electrode) -> tuple[Array, ...]:
    """Sites of each material in a volume of electrode [mol.m-3]."""
    return tuple(m.active_fraction * m.particle.c_max for m in electrode.materials)
