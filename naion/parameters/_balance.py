"""Electrode balance: which stoichiometries belong to a voltage or a state of charge."""

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
    """Refuse more charge than an electrode of a known cell holds, taken out or put in.

    Args:
        cell: whose negative electrode, or working one beside a metal, which holds plenty.
        charge: [A.h].
        name: of the charge, for messages.

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
"""Branch of a cell with hysteresis; between both, 0 is their mean."""

AFTER_DISCHARGE = -1.0
"""The other branch."""


@takes
def open_circuit_voltage(
    cell: Cell, sto: Stoichiometry, T: Array, branch: Array | float = 0.0
) -> Array:
    """U_p - U_n at mean stoichiometries, in volts.

    Args:
        cell: the cell.
        sto: mean stoichiometries.
        T: temperature [K].
        branch: of a cell with hysteresis, from 1 (after a charge) to -1.
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
    """U of an electrode at a mean stoichiometry, against the metal [V].

    Args:
        electrode: of one material, or blended.
        sto: of all its sites, of any shape for one material, () for blends.
        T: temperature [K].
        reference: at which open-circuit potentials are given [K].
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
    """Stoichiometry of each material when all have the same potential.

    The common potential is looked up in tables of every material, then all compositions
    are corrected by Newton steps, which also carry the derivatives (implicit function
    theorem). Arguments as in `equilibrium_potential`.
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
    # Open-circuit potentials fall; tables are read the other way round.
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
    """Equilibrium stoichiometries at an open-circuit voltage, at `cell.temperature`.

    The cell's sodium, x_n Q_n + x_p Q_p, is that of its published state; of branches the
    mean is meant. Differentiable.

    Raises:
        ValueError: for a voltage at which the cell cannot rest, with those at which it
            can. Where the voltage or the cell is traced, both stoichiometries are NaN.
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
    """At rest at a voltage, whether that can be, and the voltages at which it can."""
    spans = _span(cell.negative), _span(cell.positive)
    cell = with_ready_curves(cell)
    lowest, highest = _rests(cell, spans)
    sto = _nearest(cell, voltage)
    off = jnp.abs(open_circuit_voltage(cell, sto, cell.temperature) - voltage)
    rests = (voltage >= lowest) & (voltage <= highest) & (off < 1e-6)
    return sto, rests, lowest, highest


# As one program, which is kept on disk: operation by operation takes many times as long.
_at_voltage_compiled = jax.jit(_at_voltage)


FAR = 1.0
"""No rest is further beyond the voltage limits [V]: walls of tables are steep."""

Span = tuple[Any, Any]


def _rests(cell: Cell, spans: tuple[Span, Span]) -> tuple[Array, Array]:
    """Lowest and highest voltage at which a cell rests [V].

    Within its tables, or beyond them within its limits: published charged states lie a
    little outside of some tables.
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
    """Stoichiometries of the first and the last point of an electrode's potential."""
    curve = electrode.particle.ocp.curve
    while isinstance(curve, Corrected):
        curve = curve.base
    if electrode.others or not isinstance(curve, Table):
        return 0.0, 1.0
    return curve.x[0], curve.x[-1]


def _sodium(cell: Cell) -> tuple[Array, Array, Array]:
    """Capacities of both electrodes, and the sodium in them [A.h]."""
    Q_n, Q_p = electrode_capacities(cell)
    x = cell.published
    return Q_n, Q_p, x.negative * Q_n + x.positive * Q_p


def _state(cell: Cell, x_n: Array) -> Stoichiometry:
    Q_n, Q_p, inventory = _sodium(cell)
    return Stoichiometry(x_n, (inventory - x_n * Q_n) / Q_p)


OUTERMOST = 1e-3
"""Nearer to empty or full no electrode of a half cell rests: tables end before, and a metal
would go on to where no site, or no sodium, is left."""


def _ends(cell: Cell) -> tuple[Array, Array]:
    """The least and the most x_n that the cell's sodium allows."""
    Q_n, Q_p, inventory = _sodium(cell)
    margin = OUTERMOST * Q_p if is_half_cell(cell) else 0.0
    low = jnp.maximum(0.0, (inventory - Q_p + margin) / Q_n)
    high = jnp.minimum(1.0, (inventory - margin) / Q_n)
    return jax.lax.stop_gradient((low, high))


def _nearest(
    cell: Cell, voltage: Array | float, branch: Array | float = 0.0
) -> Stoichiometry:
    """At rest at a voltage on a branch, or at the nearest that the cell's sodium allows.

    Bisection on x_n over all states that this inventory allows, then one Newton
    correction that carries the derivatives (implicit function theorem).
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
    # At a bound of the inventory there is no root to correct towards, nor where a table
    # goes on level.
    residual = excess(x_n)
    reached = (jnp.abs(residual) < 1e-6) & (slope != 0.0)
    slope = jnp.where(reached, slope, 1.0)
    return _state(cell, x_n - jnp.where(reached, residual, 0.0) / slope)


@takes
def with_ready_curves(cell: Cell) -> Cell:
    """The cell with its electrodes' curves prepared, for potentials looked up many times."""
    ready = prepare((cell.negative, cell.positive))
    return dataclasses.replace(cell, negative=ready[0], positive=ready[1])


@takes
def stoichiometry_at_soc(cell: Cell, soc: Array | float) -> Stoichiometry:
    """Stoichiometries at a state of charge.

    SOC 0 and 1 are the equilibrium states at the voltage limits; in between SOC is
    linear in charge, hence in both stoichiometries.

    Raises:
        ValueError: for a state of charge that is none.
    """
    check_soc("soc", soc)
    empty, full = stoichiometries_at_limits(cell)
    return Stoichiometry(
        empty.negative + soc * (full.negative - empty.negative),
        empty.positive + soc * (full.positive - empty.positive),
    )


@takes
def stoichiometries_at_limits(cell: Cell) -> tuple[Stoichiometry, Stoichiometry]:
    """At rest at the lower and at the upper voltage limit, or as near as can be.

    After a discharge, and after a charge, where potentials have two branches.
    """
    return (_at_limits if is_traced(cell) else _at_limits_compiled)(cell)


def _at_limits(cell: Cell) -> tuple[Stoichiometry, Stoichiometry]:
    cell = with_ready_curves(cell)
    limits = jnp.stack([cell.limits.lower_voltage, cell.limits.upper_voltage])
    # In one loop, not two: there is less to compile.
    branches = jnp.array([AFTER_DISCHARGE, AFTER_CHARGE])
    both = jax.vmap(lambda *at: _nearest(cell, *at))(limits, branches)
    empty, full = (jax.tree.map(lambda a, k=k: a[k], both) for k in (0, 1))
    return empty, full


_at_limits_compiled = jax.jit(_at_limits)


OVER = 0.05
"""By how much a state of charge may be below 0 or above 1."""


def check_soc(name: str, soc: Any) -> None:
    """Raise unless a state of charge, or each of several, is one."""
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
    """Sites of each material for each volume of electrode [mol.m-3]."""
    return tuple(m.active_fraction * m.particle.c_max for m in electrode.materials)
