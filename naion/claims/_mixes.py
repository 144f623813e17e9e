"""What sodium cells beside lithium cells in one pack give; products are in that order."""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..parameters import Cell, open_circuit_voltage, stoichiometry_at_soc
from ._runs import (
    Numbers,
    Products,
    Quantities,
    Setting,
    discharged,
    kelvin,
    mass,
    pulse,
    said,
)


def mix(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """Energy of a pack whose cells have all the same nominal capacity.

    In series, cells of one chemistry do the same, and all have one current: so one of
    each is simulated, and what is empty first ends the pack (tests/pack holds this
    against the equations of the pack). Behind converters each string is emptied by
    itself. The share of sodium is that of the cells.
    """

    def at(T: Array) -> Array:
        """Of series, converters, lithium alone and sodium alone [W.h.kg-1]."""
        done = [discharged(made, n["rate"], setting, T) for made in products]
        share = jnp.stack([n["sodium_share"], 1.0 - n["sodium_share"]])
        Q = jnp.stack([made.cell.nominal_capacity for made in products])
        weight = jnp.stack([mass(made) for made in products]) / Q
        until = jnp.minimum(*(d.t_end for d in done))
        both, alone = (
            jnp.stack(energies) / Q
            for energies in (
                [d.at(until).energy / 3600.0 for d in done],
                [d.energy for d in done],
            )
        )
        together = share @ weight
        lithium, sodium = alone[1] / weight[1], alone[0] / weight[0]
        strings = n["efficiency"] * (share @ alone) / together
        values = jnp.stack([(share @ both) / together, strings, lithium, sodium])
        return said(done[0], said(done[1], values))

    cold, warm = jax.vmap(at)(jnp.stack([kelvin(n["temperature_degC"]), kelvin(25.0)]))
    beside, kept = 100.0 * cold[:2] / cold[2], 100.0 * cold[:2] / warm[:2]
    return jnp.concatenate([beside, cold, kept])


def mix_power(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """Power of strings behind converters, each at the same drop of its cells' voltage."""
    T = kelvin(n["temperature_degC"])
    P = jnp.stack([pulse(made, n, setting, T) for made in products])
    Q = jnp.stack([made.cell.nominal_capacity for made in products])
    weight = jnp.stack([mass(made) for made in products]) / Q
    share = jnp.stack([n["sodium_share"], 1.0 - n["sodium_share"]])
    both = n["efficiency"] * (share @ (P / Q)) / (share @ weight)
    sodium, lithium = P / (Q * weight)
    return jnp.stack([100.0 * both / lithium, lithium, sodium])


def gauge(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """State of charge that an error of rested voltage leaves open, mean of 10 to 90 %.

    In a series the sodium cells say how full all cells are. Where a voltage is flat it
    says nothing: half of the range counts as open at most.
    """
    soc = jnp.linspace(0.1, 0.9, 17)

    def left(cell: Cell) -> Array:
        def rest(s: Array) -> Array:
            return open_circuit_voltage(
                cell, stoichiometry_at_soc(cell, s), cell.temperature
            )

        slope = jax.vmap(jax.grad(rest))(soc)
        error = 0.1 * n["error_mV"] / jnp.maximum(slope, 1e-6)
        return jnp.mean(jnp.minimum(error, 50.0))

    sodium, lithium = (left(made.cell) for made in products)
    return jnp.stack([100.0 * sodium / lithium, lithium, sodium])
