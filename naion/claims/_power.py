"""Discharge power beside a cell of another chemistry."""

import jax.numpy as jnp
from jaxtyping import Array

from ._product import Made
from ._runs import (
    Numbers,
    Products,
    Quantities,
    Setting,
    kelvin,
    mass,
    pulse,
    rested_energy,
)


def power_beside(products: Products, n: Numbers, setting: Setting) -> Quantities:
    """Of two cells, each at the same drop below its rest, but not below what it serves at.

    A drop that is larger than any leaves both at the lowest voltage of their service.
    """
    T = kelvin(n["temperature_degC"])
    P = jnp.stack([pulse(p, n, setting, T, lowest_in_service(p)) for p in products])
    by_energy = P / jnp.stack([rested_energy(p) for p in products])
    by_mass = P / jnp.stack([mass(p) for p in products])
    return jnp.stack(
        [
            100.0 * by_energy[0] / by_energy[1],
            100.0 * by_mass[0] / by_mass[1],
            *by_energy,
        ]
    )


def lowest_in_service(made: Made) -> Array:
    """The lower limit, or half of the upper one: what `naion.duty` lets cells serve at [V].

    Inverters take a range of about two in voltage; and below half of the rested voltage
    more current gives less power.
    """
    own = made.cell.limits
    return jnp.maximum(own.lower_voltage, 0.5 * own.upper_voltage)
