"""Proof that a cell cannot deliver a power: no voltage gives it."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .._results import Result
from ..protocol import Mode, Protocol
from ..solvers import Where, beginning
from ._outcome import STUCK
from ._parts import GOING, Resumable

NEARLY = 1e-3
"""Share of the power by which a state that is stuck may still be ahead of the fold."""

VOLTAGES = 24
"""At which power is looked up, and again around the best of them."""


def is_power_infeasible(
    program: Resumable, solution: Any, protocol: Protocol, where: Where, highest: float
) -> bool:
    """Whether a simulation is stuck because its cell cannot deliver the power asked for.

    From the state where it is stuck the cell is held at many voltages; none of them may
    give the power.

    Args:
        program: at most so many steps of a protocol, from where.
        solution: how the simulation ended.
        protocol: what it was to do.
        where: it ended.
        highest: voltage above which the cell delivers nothing [V].
    """
    if solution.result not in STUCK:
        return False
    row = int(where.segment)
    asked = float(protocol.value[row] + protocol.slope[row] * where.tau)
    if int(protocol.mode[row]) != Mode.POWER:
        return False
    if asked <= 0.0 or not np.all(np.isfinite(where.y)):
        return False
    held = _held(protocol, row, float(where.tau))
    begun = beginning(where.y, 1.0)

    def power(voltage: float) -> float:
        value = jnp.full(len(held.value), voltage)
        hold = eqx.tree_at(lambda p: p.value, held, value)
        done, _ = program(hold, np.asarray(1), (begun, GOING))
        if int(done.n_steps) == 0:
            return np.nan
        # The current falls: its greatest value is that of the start.
        return float(voltage * done.greatest.current)

    low, high = 0.0, highest
    for _ in range(2):
        voltages = np.linspace(low, high, VOLTAGES + 2)[1:-1]
        powers = np.array([power(V) for V in voltages])
        if not np.all(np.isfinite(powers)):
            return False
        best = int(np.argmax(powers))
        if powers[best] > (1.0 + NEARLY) * asked:
            return False
        low, high = voltages[max(best - 1, 0)], voltages[min(best + 1, VOLTAGES - 1)]
    return True


def is_unfinished(outcome: Any, protocol: Protocol) -> np.ndarray:
    """Which outcomes of a batch a simulation alone may better, (lanes,).

    Inside a transformation a record cannot grow, and nothing is proved.

    Args:
        outcome: a `Result` for each lane.
        protocol: of all lanes, or one for each.
    """
    outcome = np.asarray(outcome)
    has_power = np.any(np.asarray(protocol.mode) == Mode.POWER, axis=-1)
    stuck = np.isin(outcome, [int(r) for r in STUCK])
    return (outcome == Result.STEP_LIMIT) | (stuck & has_power)


def _held(protocol: Protocol, row: int, tau: float) -> Protocol:
    """A hold at zero volts at a row's temperature, in as many rows."""
    T = protocol.temperature[row] + protocol.temperature_slope[row] * tau
    hold = Protocol("Hold at 0 V for 1 s").padded(protocol.n_steps)
    hold = eqx.tree_at(lambda p: p.cycle, hold, protocol.cycle)
    return eqx.tree_at(
        lambda p: p.temperature, hold, jnp.full(len(hold.temperature), T)
    )
