"""Electrode balance: which stoichiometries belong to a voltage or a state of charge."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import F
from ..properties import prepare
from ._cell import Cell, Electrode, Particle, Stoichiometry


def electrode_capacities(cell: Cell) -> tuple[Array, Array]:
    """Capacity of each electrode between stoichiometries 0 and 1 [A.h]."""

    def capacity(electrode: Electrode) -> Array:
        sites = sum(_sites(electrode), start=jnp.zeros(()))
        return cell.area * electrode.thickness * sites * F / 3600.0

    return capacity(cell.negative), capacity(cell.positive)


def open_circuit_voltage(cell: Cell, sto: Stoichiometry, T: Array) -> Array:
    """U_p - U_n at mean stoichiometries and temperature `T` [K], in volts."""
    at = T, cell.temperature
    U_n = equilibrium_potential(cell.negative, sto.negative, *at)
    U_p = equilibrium_potential(cell.positive, sto.positive, *at)
    return U_p - U_n


def equilibrium_potential(
    electrode: Electrode, sto: Array, T: Array, reference: Array
) -> Array:
    """U of an electrode at a mean stoichiometry, against the metal [V].

    Args:
        electrode: of one material, or blended.
        sto: of all its sites, of any shape for one material, () for blends.
        T: temperature [K].
        reference: at which open-circuit potentials are given [K].
    """
    first = electrode.materials[0].particle
    x = compositions(electrode, sto, T, reference)[0]
    return _potential(first, x, T, reference)


def _potential(p: Particle, x: Array, T: Array, reference: Array) -> Array:
    """U(x, T): the curve at T, plus (T - reference) times `dudt` [V]."""
    return p.ocp(x, T) + (T - reference) * p.dudt(x, T)


def compositions(
    electrode: Electrode, sto: Array, T: Array, reference: Array
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
        return _potential(p, x, T, reference)

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


def stoichiometry_at_voltage(cell: Cell, voltage: Array) -> Stoichiometry:
    """Equilibrium stoichiometries at an open-circuit voltage, at `cell.temperature`.

    The cell's sodium, x_n Q_n + x_p Q_p, is that of its charged state. Bisection on x_n
    over all states that this inventory allows, then one Newton correction that carries
    the derivatives (implicit function theorem). A voltage out of reach gives the nearest
    reachable state; callers check.
    """
    cell = with_ready_curves(cell)
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


def with_ready_curves(cell: Cell) -> Cell:
    """The cell with its electrodes' curves prepared, for potentials looked up many times."""
    ready = prepare((cell.negative, cell.positive))
    return dataclasses.replace(cell, negative=ready[0], positive=ready[1])


def stoichiometry_at_soc(cell: Cell, soc: Array | float) -> Stoichiometry:
    """Stoichiometries at a state of charge.

    SOC 0 and 1 are the equilibrium states at the voltage limits; in between SOC is
    linear in charge, hence in both stoichiometries.
    """
    empty, full = stoichiometries_at_limits(cell)
    return Stoichiometry(
        empty.negative + soc * (full.negative - empty.negative),
        empty.positive + soc * (full.positive - empty.positive),
    )


def stoichiometries_at_limits(cell: Cell) -> tuple[Stoichiometry, Stoichiometry]:
    """At rest at the lower and at the upper voltage limit."""
    limits = jnp.stack([cell.limits.lower_voltage, cell.limits.upper_voltage])
    # In one loop, not two: there is less to compile.
    both = jax.vmap(lambda V: stoichiometry_at_voltage(cell, V))(limits)
    empty, full = (jax.tree.map(lambda a, k=k: a[k], both) for k in (0, 1))
    return empty, full


def _sites(electrode: Electrode) -> tuple[Array, ...]:
    """Sites of each material for each volume of electrode [mol.m-3]."""
    return tuple(m.active_fraction * m.particle.c_max for m in electrode.materials)
