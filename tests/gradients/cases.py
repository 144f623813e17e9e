"""One simulation as a vector function of many kinds of parameters.

Everything about derivatives is asked of this one function, so that its forward and
reverse programs are compiled once each.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from naion.parameters import Stoichiometry, stoichiometry_at_soc

STEPS = (
    "Discharge at 1C for 15 minutes",
    "Charge at 1C until 4.0 V",
    "Hold at 4.0 V until C/5",
    "Rest for 10 minutes",
    "Discharge at 2C",
)
MAX_STEPS = 1600
"""Enough for rtol = 1e-8, so that every tolerance runs in the same program."""

VOLTAGE_TIMES = (450.0, 1300.0, 2700.0, 3300.0, 4200.0)
CURRENT_TIMES = (2080.0,)

# Numbers of the cell and of the protocol, moved by relative amounts.
CELL = {
    "negative diffusivity scale": lambda c: c.negative.particle.diffusivity.scale,
    "positive diffusivity": lambda c: c.positive.particle.diffusivity.curve.value,
    "negative rate constant": lambda c: c.negative.particle.rate_constant.curve.value,
    "positive rate constant scale": lambda c: c.positive.particle.rate_constant.scale,
    "activation energy": lambda c: c.positive.particle.rate_constant.temperature.energy,
    "negative thickness": lambda c: c.negative.thickness,
    "positive active fraction": lambda c: c.positive.active_fraction,
    "positive particle radius": lambda c: c.positive.particle.radius,
    "negative site density": lambda c: c.negative.particle.c_max,
    "separator thickness": lambda c: c.separator.thickness,
    "separator porosity": lambda c: c.separator.porosity,
    "transport efficiency": lambda c: c.negative.transport_efficiency,
    "solid conductivity": lambda c: c.positive.conductivity,
    "area": lambda c: c.area,
    "salt concentration": lambda c: c.electrolyte.concentration,
    "t_plus": lambda c: c.electrolyte.t_plus.curve.value,
    "thermodynamic factor": lambda c: c.electrolyte.thermodynamic_factor.curve.value,
    "electrolyte diffusivity scale": lambda c: c.electrolyte.diffusivity.scale,
    "electrolyte conductivity": lambda c: c.electrolyte.conductivity.curve.size,
    "contact resistance": lambda c: c.contact_resistance.curve.value,
    "nominal capacity": lambda c: c.nominal_capacity,
}
PROTOCOL = {
    "current of step 1": ("value", 0),
    "duration of step 1": ("duration", 0),
    "duration of the rest": ("duration", 3),
    "current cut-off of the hold": ("c_rate_below", 2),
}
# These are moved by absolute amounts: stoichiometry, volts, 10 kelvin, ohm.m2.
ABSOLUTE = (
    "start stoichiometry, negative",
    "start stoichiometry, positive",
    "negative OCP table value",
    "positive OCP table value",
    "lower cut-off voltage",
    "upper cut-off voltage",
    "temperature",
    "film resistance",
)
PARAMETERS = (*CELL, *PROTOCOL, *ABSOLUTE)
OUTPUTS = (
    *(f"voltage at {t:g} s" for t in VOLTAGE_TIMES),
    *(f"current at {t:g} s" for t in CURRENT_TIMES),
    "capacity",
    "energy",
    "end time [h]",
)


def _perturbed(cell, start, theta):
    """Cell, protocol, start and temperature moved by `theta` from where they are."""
    by = dict(zip(PARAMETERS, theta, strict=True))
    for name, where in CELL.items():
        cell = eqx.tree_at(where, cell, where(cell) * (1.0 + by[name]))
    protocol = na.Protocol(STEPS)
    for name, (field, i) in PROTOCOL.items():
        a = getattr(protocol, field)
        protocol = eqx.tree_at(
            lambda p, field=field: getattr(p, field),
            protocol,
            a.at[i].multiply(1.0 + by[name]),
        )
    up = by["upper cut-off voltage"]
    protocol = eqx.tree_at(
        lambda p: (p.upper_voltage, p.value),
        protocol,
        (protocol.upper_voltage.at[1].add(up), protocol.value.at[2].add(up)),
    )
    for side, i in (("negative", 20), ("positive", 22)):
        y = getattr(cell, side).particle.ocp.curve.y
        cell = eqx.tree_at(
            lambda c, side=side: getattr(c, side).particle.ocp.curve.y,
            cell,
            y.at[i].add(by[f"{side} OCP table value"]),
        )
    cell = eqx.tree_at(
        lambda c: (
            c.limits.lower_voltage,
            c.positive.particle.film_resistance.curve.value,
        ),
        cell,
        (
            cell.limits.lower_voltage + by["lower cut-off voltage"],
            # Not from zero: a negative resistance is an impossible number.
            1e-3 + by["film resistance"],
        ),
    )
    start = Stoichiometry(
        start.negative + by["start stoichiometry, negative"],
        start.positive + by["start stoichiometry, positive"],
    )
    # Away from the reference, where activation energies would not matter.
    warm = cell.temperature + 10.0 * (1.0 + by["temperature"])
    return cell, protocol, start, warm


class Case:
    """The function theta -> outputs and its derivative programs."""

    def __init__(self, cell, model):
        start = stoichiometry_at_soc(cell, jnp.asarray(0.9))

        def outputs(theta, rtol):
            moved, protocol, sto, temperature = _perturbed(cell, start, theta)
            s = na.simulate(
                moved,
                protocol,
                model=model,
                start=sto,
                temperature=temperature,
                rtol=rtol,
                max_steps=MAX_STEPS,
                throw=False,
            )
            V = s.at(jnp.asarray(VOLTAGE_TIMES)).voltage
            current = s.at(jnp.asarray(CURRENT_TIMES)).current
            rest = jnp.stack([s.capacity, s.energy, s.t_end / 3600.0])
            return jnp.concatenate([V, current, rest])

        self.outputs = outputs
        self.zero = np.zeros(len(PARAMETERS))
        self.value = jax.jit(outputs)
        # The Jacobian, and the values that come with it.
        self.forward_program = jax.jit(
            jax.jacfwd(lambda *at: (outputs(*at),) * 2, has_aux=True)
        )
        self.reverse_program = jax.jit(jax.jacrev(outputs))
