"""Simulate tests in time as they were measured, and beyond the end of the model."""

import functools
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..models import DFN
from ..protocol import Mode, Protocol
from ..simulation import Solution, simulate
from ..systems import Outputs
from ._experiment import IN_TIME, Experiment
from ._free import Specimen
from ._seen import PADDED, Numbers, Seen, as_tested, column

AFTER_END = 20.0
"""Slope with which the voltage is continued beyond the end of a simulation, to the times
that it did not reach [V]: the voltage falls by this much times (t - t_end) / t, about as
steeply as discharges end."""


class PaddedTest(NamedTuple):
    """An experiment as arrays of common lengths, so that all experiments share one program.

    Fields as of `Experiment`, and as of its observations joined, (m,).
    """

    protocol: Protocol
    temperature: Numbers
    group: Numbers
    discharged: Numbers
    kind: Numbers
    a: Numbers
    b: Numbers
    since: Numbers
    value: Numbers
    sigma: Numbers


def padded(e: Experiment, n_steps: int, m: int) -> PaddedTest:
    """An experiment as arrays, padded to numbers of steps and of observations."""
    o = e.observations
    kinds = [np.full(len(x.value), int(x.kind)) for x in o]
    return PaddedTest(
        protocol=e.protocol.padded(n_steps),
        temperature=np.asarray(float(e.temperature)),
        group=np.asarray(e.group),
        discharged=np.asarray(float(e.discharged)),
        kind=column(kinds, m).astype(int),
        a=column([x.a for x in o], m),
        b=column([x.b for x in o], m),
        since=np.asarray(e.since),
        value=column([x.value for x in o], m),
        # Padding has a huge uncertainty, and so no weight.
        sigma=column([x.sigma for x in o], m, PADDED),
    )


def simulated(
    specimen: Specimen,
    test: PaddedTest,
    model: DFN,
    rtol: float,
    room: int | None = None,
) -> Seen:
    """Simulated observations of a test in time on a specimen.

    Args:
        specimen: the cell, with the calibrations of all groups.
        test: what is done and observed.
        model: mesh and heat balance.
        rtol: tolerance of the simulation.
        room: steps of the solver that are recorded at most; none: as `simulate` has it.
    """
    _, solution = simulate_test(specimen, test, model, rtol, room)
    began = solution.began(test.since)
    a, _ = _gone_on(solution, began + test.a, test.temperature)
    b, reached = _gone_on(solution, began + test.b, test.temperature)
    charge, energy = b.charge - a.charge, b.energy - a.energy
    # Where no charge flowed between the two times, as beyond an end at rest, the voltage
    # at the second one stands for the mean. The inner `where` keeps gradients finite.
    flowed = charge != 0.0
    mean = jnp.where(flowed, energy / jnp.where(flowed, charge, 1.0), b.voltage)
    current = jnp.where(b.current != 0.0, b.current, 1.0)
    kinds = [b.voltage, mean, (a.voltage - b.voltage) / current, b.temperature]
    kinds += [b.negative_potential, b.positive_potential]
    return Seen(jnp.select([test.kind == k for k in IN_TIME], kinds), reached)


def _gone_on(
    solution: Solution, t: Array, temperature: Numbers
) -> tuple[Outputs, Array]:
    """Outputs at some times, continued beyond the end of the simulation.

    If values simply ended there, residuals would jump: a fit could not tell in which
    direction the end has to move, and a single row beyond it would forbid every step that
    moves it. So the voltage goes on falling, see `AFTER_END`; current and temperature keep
    their last values, and charge and energy follow from them.

    Args:
        solution: of a test.
        t: times since the start, NaN where a step did not begin, (m,) [s].
        temperature: used where the test failed at its start [K].

    Returns:
        outputs, and whether the simulation itself reached them, (m,).
    """
    seen = solution.at(t)
    reached = jnp.isfinite(seen.voltage)
    began = jnp.isfinite(t)
    asked = jnp.where(began & ~reached, t, 1.0)
    late = jnp.where(began, 1.0 - solution.t_end / asked, 1.0)
    dt = jnp.where(began, asked - solution.t_end, 0.0)
    V, I, T, Q, E, margin, *apart = solution.end
    V = jnp.where(jnp.isfinite(V), V, 0.0)
    T = jnp.where(jnp.isfinite(T), T, temperature)
    I, Q, E = (jnp.where(jnp.isfinite(x), x, 0.0) for x in (I, Q, E))
    falling = V - AFTER_END * late
    power = 0.5 * (V + falling) * I
    # Which electrode ended the test does not matter here: each takes half of the fall.
    negative, positive = (jnp.where(jnp.isfinite(x), x, 0.0) for x in apart)
    half = 0.5 * AFTER_END * late
    apart = negative + half, positive - half
    after = Outputs(falling, I, T, Q + I * dt, E + power * dt, margin, *apart)
    return jax.tree.map(functools.partial(jnp.where, reached), seen, after), reached


@takes
def simulate_test(
    specimen: Specimen,
    test: PaddedTest | Experiment,
    model: DFN,
    rtol: float = 1e-3,
    room: int | None = None,
) -> tuple[Specimen, Solution]:
    """Simulate a test on a specimen.

    Args:
        specimen: the cell, with the calibrations of all groups.
        test: what is done.
        model: mesh and heat balance.
        rtol: tolerance of the simulation.
        room: steps of the solver that are recorded at most; none: as `simulate` has it.

    Returns:
        the specimen with the calibration of the test's group alone, and the solution.
    """
    own, cell, start = as_tested(specimen, test)
    solution = simulate(
        cell,
        as_it_flowed(test.protocol, own),
        model=model,
        start=start,
        temperature=test.temperature,
        rtol=rtol,
        max_steps=room,
        throw=False,
    )
    return own, solution


def as_it_flowed(protocol: Protocol, sensor: Specimen) -> Protocol:
    """The protocol with the currents that flowed, corrected for the errors of the sensor."""
    logged = protocol.value
    gain = jnp.where(logged > 0.0, sensor.gain, sensor.gain_on_charge)
    one = jnp.where(protocol.in_c_rate, sensor.cell.nominal_capacity, 1.0)
    flowed = gain * logged + sensor.offset / one
    errs = (protocol.mode == Mode.CURRENT) & (logged != 0.0)
    slope = jnp.where(errs, gain, 1.0) * protocol.slope
    value = jnp.where(errs, flowed, logged)
    return eqx.tree_at(lambda p: (p.value, p.slope), protocol, (value, slope))
