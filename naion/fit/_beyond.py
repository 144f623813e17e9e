"""Uncertainty of predictions at temperatures beyond those at which a cell was tested."""

from collections.abc import Iterable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._constants import ZERO_CELSIUS, R
from ..models import DFN
from ..parameters import (
    AFTER_CHARGE,
    AFTER_DISCHARGE,
    Cell,
    Stoichiometry,
    open_circuit_voltage,
)
from ..properties import AbstractTemperatureLaw, BeyondTests
from ..protocol import Protocol
from ..simulation import Solution
from ._experiment import IN_VOLTS, Experiment, Kind
from ._free import Specimen
from ._in_time import simulate_test
from ._seen import as_tested, less_full

UNSEEN_ENERGY = 15e3
"""Uncertainty of the activation energy of whatever limits a cell beyond the temperatures
of its tests: one standard deviation [J.mol-1], as of the prior of a single process before
any fit. Reported are 16 and 55 kJ/mol for diffusion in hard carbon, and 55 to 107 kJ/mol
for charge transfer of sodium (`naion/demo/_layered_oxide.py` names the sources)."""

WORTH_SAYING = 0.02
"""Relative uncertainty of overvoltages below which nothing is said of it; an error of one
kelvin in a climate chamber causes as much."""


def unseen(temperatures: Iterable[float], T: float) -> float:
    """Relative standard deviation of overvoltages at a temperature without tests.

    It is zero between the lowest and the highest temperature of the tests. Beyond them a
    process may limit the cell that does not show in any test, and the activation energies
    that were fitted for other processes do not apply to it.

    Args:
        temperatures: temperatures of the tests [K]; if there are none, the result is 0.
        T: temperature of the prediction [K].
    """
    tested = np.array(list(temperatures), float)
    if tested.size == 0:
        return 0.0
    colder, warmer = 1.0 / T - 1.0 / tested.min(), 1.0 / tested.max() - 1.0 / T
    return UNSEEN_ENERGY / R * max(0.0, float(colder), float(warmer))


def least_tested(
    temperatures: Iterable[float],
    cell: Cell,
    protocol: Protocol,
    temperature: float | None = None,
) -> tuple[float, float]:
    """The temperature of a protocol that is farthest from all tests, and `unseen` there.

    Args:
        temperatures: temperatures of the tests [K].
        cell: the cell, whose own temperature is used where no other is given.
        protocol: the protocol, whose rows may have temperatures of their own.
        temperature: temperature of the rows that have none [K]; none: the cell's.

    Returns:
        the temperature [K], and the relative standard deviation of overvoltages at it.
    """
    usual = float(cell.temperature if temperature is None else temperature)
    own = np.asarray(protocol.temperature)[: int(protocol.count)]
    asked = np.where(np.isfinite(own), own, usual)
    tested = tuple(temperatures)
    ends = float(asked.min()), float(asked.max())
    share, T = max((unseen(tested, T), T) for T in ends)
    return T, share


def beyond_tests(
    cell: Cell, temperatures: Iterable[float], energy: float | Array
) -> Cell:
    """A cell whose particles are slower, or faster, beyond the temperatures of its tests.

    Diffusion and charge transfer go on there with the same more activation energy, since it
    is not known which of them limits.

    Args:
        cell: as fitted.
        temperatures: of the tests [K]; none: the cell as it is.
        energy: added to the activation energies there, with a standard deviation of
            `UNSEEN_ENERGY` [J.mol-1].
    """
    tested = tuple(temperatures)
    if not tested:
        return cell
    low, high, more = (
        jnp.asarray(a, float) for a in (min(tested), max(tested), energy)
    )

    further = len(cell.negative.others), len(cell.positive.others)

    def laws(cell: Cell) -> list[AbstractTemperatureLaw]:
        every = [cell.negative.particle, cell.positive.particle]
        for side, n in zip((cell.negative, cell.positive), further, strict=True):
            every += [side.others[k].particle for k in range(n)]
        return [p.diffusivity.temperature for p in every] + [
            p.rate_constant.temperature for p in every
        ]

    beyond = [BeyondTests(law, low, high, more) for law in laws(cell)]
    return eqx.tree_at(laws, cell, beyond)


def in_words(temperatures: Iterable[float], T: float, share: float) -> str:
    """The result of `least_tested`, as a sentence."""
    tested = [t - ZERO_CELSIUS for t in temperatures]
    low, high = f"{min(tested):.3g}", f"{max(tested):.3g}"
    where = f"at {low}" if low == high else f"from {low} to {high}"
    return (
        f"At {T - ZERO_CELSIUS:.3g} degC no test tells what limits the cell (those of its "
        f"fit are {where} degC): in bands its overvoltages are known to within "
        f"{100.0 * share:.0f} %, one standard deviation."
    )


def rested_along(
    cell: Cell, start: Stoichiometry, q: Array, T: Array, current: Array
) -> np.ndarray:
    """Open-circuit voltages of a cell as full as it is along a test [V], (n,).

    Args:
        cell: the cell.
        start: its state before the test.
        q: charge taken out since, (n,) [A.h].
        T: temperatures, (n,) [K].
        current: positive on discharge, which leads to the branch of a hysteresis, (n,) [A].
    """
    branch = jnp.where(current > 0.0, AFTER_DISCHARGE, AFTER_CHARGE)

    def rested(q: Array, T: Array, branch: Array) -> Array:
        return open_circuit_voltage(cell, less_full(cell, start, q), T, branch)

    return np.asarray(jax.vmap(rested)(q, T, branch))


def mean_overvoltage(cell: Cell, start: Stoichiometry, seen: Solution) -> float:
    """Overvoltage of a test, as the mean over the charge that flowed in it [V].

    The overvoltage is the distance of the voltage from the open-circuit voltage at the same
    charge.

    Args:
        cell: the cell that was simulated.
        start: its state before the test.
        seen: the solution, with its steps.
    """
    current, V = np.asarray(seen.current), np.asarray(seen.voltage)
    flowed = np.abs(current) * np.diff(np.asarray(seen.t), prepend=0.0)
    use = np.isfinite(V) & (flowed > 0.0)
    q, T, I = (a[use] for a in (seen.discharged, seen.temperature, seen.current))
    lost = np.abs(V[use] - rested_along(cell, start, q, T, I))
    known = np.isfinite(lost)
    if not known.any():
        return 0.0
    return float(np.average(lost[known], weights=flowed[use][known]))


def room_beyond(
    cell: Cell, start: Stoichiometry, best: Solution, times: np.ndarray, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far voltages may lie below and above a prediction for want of tests, (n,) [V].

    No test loses less than nothing: towards the open-circuit voltage at most what is lost.

    Args:
        cell: the cell.
        start: its state before the test.
        best: the prediction.
        times: of it, (n,) [s].
        most: distance away from the open-circuit voltage [V].
    """
    at = best.at(times)
    U = rested_along(cell, start, at.charge / 3600.0, at.temperature, at.current)
    above = np.nan_to_num(U - np.asarray(at.voltage))  # positive on discharge
    towards = np.minimum(np.abs(above), most)
    is_lower = above >= 0.0
    return np.where(is_lower, most, towards), np.where(is_lower, towards, most)


def errors_beyond(
    specimen: Specimen,
    test: Experiment,
    predicted: np.ndarray,
    model: DFN,
    temperatures: Iterable[float],
    rtol: float = 1e-3,
) -> np.ndarray:
    """Standard deviations of a test's predictions if no test was made at its temperature.

    Resistances and impedances have the relative uncertainty of overvoltages. Voltages have
    the same uncertainty all along a test, since slow processes do not recover in rests of
    minutes.

    Args:
        specimen: the specimen that is predicted.
        test: the test.
        predicted: predictions of the test, (m,).
        model: mesh and heat balance.
        temperatures: temperatures of the tests that the specimen was fitted to [K].
        rtol: tolerance of the simulation.

    Returns:
        standard deviations in the unit of each prediction, (m,).
    """
    relative = unseen(temperatures, float(test.temperature))
    kinds = np.repeat(
        [o.kind for o in test.observations], [len(o.value) for o in test.observations]
    )
    if relative == 0.0:
        return np.zeros(len(kinds))
    lost = 0.0
    if np.isin(kinds, IN_VOLTS).any():
        _, cell, start = as_tested(specimen, test)
        _, seen = simulate_test(specimen, test, model, rtol)
        lost = mean_overvoltage(cell, start, seen)
    own = np.where(np.isfinite(predicted), np.abs(predicted), 0.0)
    sizes = np.where(np.isin(kinds, IN_VOLTS), lost, own)
    return relative * np.where(kinds == Kind.TEMPERATURE, 0.0, sizes)
