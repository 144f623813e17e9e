"""What claims on life ask: cycles to an end, what is left after years, beside LFP.

The law of `naion.life` in numbers that a reading gives, so that every one of them may be
uncertain, and shows its share. Nothing is simulated.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS, R

ROW = 1604.0
"""Full cycles of the row that the loss is of."""

NUMBERS: Mapping[str, float | None] = {
    "loss_percent": None,
    "energy_kJ": None,
    "exponent": None,
    "middle": None,
    "calendar_percent": None,
    "calendar_energy_kJ": 45.0,
    "ends_percent": 0.0,
    "depth_percent": 100.0,
    "rate_factor": 1.0,
    "chemistry": 1.0,
    "beyond": 1.0,
    "temperature_degC": 25.0,
    "per_day": 1.0,
    "end_percent": 80.0,
    "years": 20.0,
}
"""Of a reading:

loss_percent after 1604 full cycles at 1C and 25 degC; energy_kJ of its rate; exponent of
the cycles; middle: share of it without the window's ends; calendar_percent a square root of
a year, with its own energy; ends_percent: how much of the ends' share (100 for the full
window) the window keeps; depth_percent of a cycle; factors of rate, chemistry and of going
beyond the data; and the use: temperature, cycles a day, end of life, years.
"""


def life(products: object, n: Mapping[str, Array], setting: object) -> Array:
    """Cycles to the end of life, capacity left after years [%], fade beside LFP's [%]."""
    T = n["temperature_degC"] + ZERO_CELSIUS
    inverse = (1.0 / T - 1.0 / 298.15) * 1e3 / R
    ends = n["middle"] + (1.0 - n["middle"]) * n["ends_percent"] / 100.0
    factor = ends * n["rate_factor"] * n["chemistry"] * n["beyond"]
    depth, z = n["depth_percent"] / 100.0, n["exponent"]
    by_row = n["loss_percent"] * factor * jnp.exp(-n["energy_kJ"] * inverse)
    by_time = n["calendar_percent"] * jnp.exp(-n["calendar_energy_kJ"] * inverse)
    a_year = 365.25 * n["per_day"]

    def loss(cycles: Array) -> Array:
        return by_row * (depth * cycles / ROW) ** z + by_time * jnp.sqrt(
            cycles / a_year
        )

    allowed = 100.0 - n["end_percent"]

    def newton(_: int, u: Array) -> Array:
        # In logarithms: the slope lies between one half and the exponent.
        f, slope = jax.value_and_grad(lambda u: jnp.log(loss(jnp.exp(u)) / allowed))(u)
        return u - f / slope

    start = jnp.log(1000.0) + 0.0 * by_row
    cycles = jnp.exp(jax.lax.fori_loop(0, 12, newton, start))
    after = loss(n["years"] * a_year)
    N = depth * n["years"] * a_year
    # Naumann et al. 2018 and 2020, at 1C and half charged; see `naion.life`.
    seconds = 365.25 * 86400.0 * n["years"]
    lfp = 100.0 * 1.2571e-5 * 0.60225 * jnp.exp(-17.126 * inverse) * jnp.sqrt(seconds)
    lfp += 0.1601 * (4.0253 * (depth - 0.6) ** 3 + 1.0923) * jnp.sqrt(N)
    return jnp.stack([cycles, 100.0 - after, 100.0 * after / lfp])


QUANTITIES = (
    ("cycles", "cycles"),
    ("capacity left", "%"),
    ("fade beside LFP", "% of LFP's"),
)
