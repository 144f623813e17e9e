"""How far predictions err at temperatures beyond those at which a cell was tested."""

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
from ._evaluate import simulate_test
from ._experiment import IN_VOLTS, Experiment, Kind
from ._free import Specimen
from ._seen import as_tested, less_full

UNSEEN_ENERGY = 15e3
"""Of what limits a cell beyond the temperatures of its tests, the activation energy is known
to within so much, one standard deviation [J/mol]: as far as is believed of a single process
before any fit. Reported are 16 and 55 kJ/mol for diffusion in hard carbon, 55 to 107 for
charge transfer of sodium (`naion/demo/_layered_oxide.py` names the sources)."""


WORTH_SAYING = 0.02
"""A share of overvoltages that a band is said to hold; chambers are off by a kelvin."""


def unseen(temperatures: Iterable[float], T: float) -> float:
    """Standard deviation of overvoltages at a temperature, over them, for want of tests.

    Zero between the lowest and the highest temperature tested. Beyond, a process may limit
    that shows at none of these, and the energies found of others say nothing of it.

    Args:
        temperatures: of the tests [K]; none: nothing is known of where they were, 0.
        T: of the prediction [K].
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
        temperatures: of the tests [K].
        cell: whose temperature it is where no other is given.
        protocol: whose rows may have temperatures of their own.
        temperature: of the rows that have none [K]; none: the cell's.

    Returns:
        temperature [K], standard deviation of overvoltages over them.
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
    """What `least_tested` found, as a sentence."""
    tested = [t - ZERO_CELSIUS for t in temperatures]
    low, high = f"{min(tested):.3g}", f"{max(tested):.3g}"
    where = f"at {low}" if low == high else f"from {low} to {high}"
    return (
        f"At {T - ZERO_CELSIUS:.3g} degC no test tells what limits the cell (those of its "
        f"fit are {where} degC): in bands its overvoltages are known to within "
        f"{100.0 * share:.0f} %, one standard deviation."
    )


def mean_overvoltage(cell: Cell, start: Stoichiometry, seen: Solution) -> float:
    """Voltage lost over a test, mean over the charge that flowed in it [V].

    What is lost is the distance to the open-circuit voltage of the cell as full as it is.

    Args:
        cell: that was simulated.
        start: its state before the test.
        seen: the solution, with its steps.
    """
    current, V = np.asarray(seen.current), np.asarray(seen.voltage)
    flowed = np.abs(current) * np.diff(np.asarray(seen.t), prepend=0.0)
    use = np.isfinite(V) & (flowed > 0.0)
    q, T = (a[use] for a in (seen.discharged, seen.temperature))
    branch = jnp.where(current[use] > 0.0, AFTER_DISCHARGE, AFTER_CHARGE)

    def rested(q: Array, T: Array, branch: Array) -> Array:
        return open_circuit_voltage(cell, less_full(cell, start, q), T, branch)

    lost = np.abs(V[use] - np.asarray(jax.vmap(rested)(q, T, branch)))
    known = np.isfinite(lost)
    if not known.any():
        return 0.0
    return float(np.average(lost[known], weights=flowed[use][known]))


def errors_beyond(
    specimen: Specimen,
    test: Experiment,
    predicted: np.ndarray,
    model: DFN,
    temperatures: Iterable[float],
    rtol: float = 1e-3,
) -> np.ndarray:
    """Standard deviations of a test's predictions for want of tests at its temperature.

    Resistances and impedances err as overvoltages do. Voltages err by the same all along a
    test: what slow processes hold back, rests of minutes do not bring back.

    Args:
        specimen: predicted.
        test: of its `group`.
        predicted: numbers of the test, (m,).
        model: equations and mesh.
        temperatures: of the tests that the specimen was fitted to [K].
        rtol: tolerance of the simulation.

    Returns:
        (m,), in the unit of each number.
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
