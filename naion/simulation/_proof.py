"""Prove that a cell cannot deliver a power: none of many voltages gives it."""

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
"""Share of the power by which the highest power may still exceed it: the solver gets stuck
slightly before the two are equal."""

VOLTAGES = 24
"""Number of voltages that are tried, and again between the neighbours of the best."""


def is_power_infeasible(
    program: Resumable, solution: Any, protocol: Protocol, where: Where, highest: float
) -> bool:
    """Whether a simulation is stuck because its cell cannot deliver the power asked for.

    In the state where it got stuck, the cell is held at many voltages. If none of them
    gives the power, it cannot be delivered.

    Args:
        program: program of the simulation; see `Resumable`.
        solution: the simulation so far.
        protocol: what it was to do.
        where: place where it ended.
        highest: voltage above which the cell delivers no power [V].
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
        # At constant voltage the current falls from its value at the start.
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
    """Which lanes of a batch are worth simulating again, each alone, (lanes,).

    In a batch a record cannot grow, and no end is proved to be physical; alone both work.

    Args:
        outcome: `Result` of each lane, (lanes,).
        protocol: protocol of all lanes, or one with a leading axis of lanes.
    """
    outcome = np.asarray(outcome)
    has_power = np.any(np.asarray(protocol.mode) == Mode.POWER, axis=-1)
    stuck = np.isin(outcome, [int(r) for r in STUCK])
    return (outcome == Result.STEP_LIMIT) | (stuck & has_power)


def _held(protocol: Protocol, row: int, tau: float) -> Protocol:
    """A hold at zero volts at the temperature of a row, in as many rows as the protocol."""
    T = protocol.temperature[row] + protocol.temperature_slope[row] * tau
    hold = Protocol("Hold at 0 V for 1 s").padded(protocol.n_steps)
    hold = eqx.tree_at(lambda p: p.cycle, hold, protocol.cycle)
    return eqx.tree_at(
        lambda p: p.temperature, hold, jnp.full(len(hold.temperature), T)
    )
