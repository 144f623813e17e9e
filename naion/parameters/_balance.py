"""Electrode balance: which stoichiometries belong to a voltage or a state of charge."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F
from ._cell import Cell, Electrode, Stoichiometry


def electrode_capacities(cell: Cell) -> tuple[Array, Array]:
    """Capacity of each electrode between stoichiometries 0 and 1 [A.h]."""

    def capacity(electrode: Electrode) -> Array:
        solid = cell.area * electrode.thickness * electrode.active_fraction
        return solid * electrode.particle.c_max * F / 3600.0

    return capacity(cell.negative), capacity(cell.positive)


def open_circuit_voltage(cell: Cell, sto: Stoichiometry, T: Array) -> Array:
    """U_p - U_n at uniform stoichiometries and temperature `T` [K], in volts."""
    reference = cell.temperature
    U_n, U_p = (
        electrode.particle.ocp(x, reference)
        + (T - reference) * electrode.particle.dudt(x, reference)
        for electrode, x in (
            (cell.negative, sto.negative),
            (cell.positive, sto.positive),
        )
    )
    return U_p - U_n


def stoichiometry_at_voltage(cell: Cell, voltage: Array) -> Stoichiometry:
    """Equilibrium stoichiometries at an open-circuit voltage, at `cell.temperature`.

    The cell's sodium, x_n Q_n + x_p Q_p, is that of its charged state. Bisection on x_n
    over all states that this inventory allows, then one Newton correction that carries
    the derivatives (implicit function theorem). A voltage out of reach gives the nearest
    reachable state; callers check.
    """
    Q_n, Q_p = electrode_capacities(cell)
    known = cell.published if cell.charged is None else cell.charged
    inventory = known.negative * Q_n + known.positive * Q_p

    def at(x_n: Array) -> Stoichiometry:
        return Stoichiometry(x_n, (inventory - x_n * Q_n) / Q_p)

    def excess(x_n: Array) -> Array:
        return open_circuit_voltage(cell, at(x_n), cell.temperature) - voltage

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        below = excess(middle) < 0.0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low = jnp.maximum(0.0, (inventory - Q_p) / Q_n)
    high = jnp.minimum(1.0, inventory / Q_n)
    bracket = jax.lax.stop_gradient((low, high))
    low, high = jax.lax.fori_loop(0, 60, halve, bracket)
    x_n = jax.lax.stop_gradient(0.5 * (low + high))
    slope = jax.lax.stop_gradient(jax.grad(excess)(x_n))
    # At a bound of the inventory there is no root to correct towards.
    residual = excess(x_n)
    reached = jnp.abs(residual) < 1e-6
    slope = jnp.where(reached, slope, 1.0)
    return at(x_n - jnp.where(reached, residual, 0.0) / slope)


def stoichiometry_at_soc(cell: Cell, soc: Array | float) -> Stoichiometry:
    """Stoichiometries at a state of charge.

    SOC 0 and 1 are the equilibrium states at the voltage limits; in between SOC is
    linear in charge, hence in both stoichiometries.
    """
    empty = stoichiometry_at_voltage(cell, cell.limits.lower_voltage)
    full = stoichiometry_at_voltage(cell, cell.limits.upper_voltage)
    return Stoichiometry(
        empty.negative + soc * (full.negative - empty.negative),
        empty.positive + soc * (full.positive - empty.positive),
    )
