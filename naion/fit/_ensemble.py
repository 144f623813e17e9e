"""Random draws of a fitted cell, and predictions with intervals from them."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._cautions import caution
from .._constants import NINETY
from .._results import Result
from .._takes import takes
from ..batch import run, stack
from ..parameters import Cell, Role, at_rest, possible
from ..protocol import Protocol
from ..simulation import Solution, simulate
from ._beyond import (
    UNSEEN_ENERGY,
    WORTH_SAYING,
    beyond_tests,
    in_words,
    least_tested,
    mean_overvoltage,
    room_beyond,
)
from ._free import LEADS, RIGHT, Specimen
from ._in_time import as_it_flowed
from ._problem import ocp_slopes
from ._seen import less_full
from ._uncertainty import Uncertainty
from ._vector import FreeVector

MOST_PULLS = 20
"""Times that draws are repeated or pulled back at most. After this many factors of 0.7 a
draw's open-circuit potential is practically that of the best fit."""


@dataclass(frozen=True)
class Ensemble:
    """Draws of a cell, each with the calibration of a future test.

    The first is the best fit, with a test that starts fully charged and a sensor without
    error.

    Attributes:
        specimens: the drawn cells, with the calibration of one test each.
        discrepancy: standard deviation of the model's own error in voltage [V].
        temperatures: those of the tests that the cell was fitted to [K].
        energies: what is added to activation energies beyond them, one for each draw
            [J.mol-1].
    """

    specimens: tuple[Specimen, ...]
    discrepancy: float
    temperatures: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The drawn cells, each with energies of its own beyond the tests' temperatures."""
        fitted = tuple(s.cell for s in self.specimens)
        if not self.energies:
            return fitted
        pairs = zip(fitted, self.energies, strict=True)
        return tuple(beyond_tests(cell, self.temperatures, e) for cell, e in pairs)


@takes
def ensemble(cell: Cell, known: Uncertainty, n: int, seed: int = 0) -> Ensemble:
    """Draw `n` cells around one, inside the bounds of what is known.

    The covariance of a nearly undetermined parameter can be wider than its bounds, and the
    data may push a number against one: each draw is what a fit within the same bounds would
    have found, had the data erred otherwise (`Pull.within`). Draws with impossible numbers,
    such as fractions of volume that add up to more than one, are drawn again. Draws in which
    an open-circuit potential rises, which is no possible cell, are pulled towards the best
    fit until none rises more than there.

    A new test has a start and a sensor of its own: both are drawn from how those of the
    fit's tests differ.
    """
    moved = draws(cell, known, n, seed)[1:]
    cells = [known.vector.cell(cell, z) for z in moved]
    pairs = zip(cells, _calibrations(known, len(cells), seed), strict=True)
    tested = [Specimen(own, [of.pop("missing")], **of) for own, of in pairs]
    specimens = Specimen(cell, [0.0]), *tested
    energies = 0.0, *_unseen_energies(len(tested))
    return Ensemble(specimens, known.discrepancy, known.temperatures, energies)


def _unseen_energies(n: int) -> list[float]:
    """Normal numbers that fill their distribution evenly, however few they are [J/mol].

    One number moves all that is delivered beyond the tests: random ones would shift the
    median of a few dozen draws.
    """
    from scipy.stats import norm, qmc

    shares = qmc.Halton(1, scramble=False).random(n + 1)[1:, 0]
    return (UNSEEN_ENERGY * norm.ppf(shares)).tolist()


def _calibrations(known: Uncertainty, n: int, seed: int) -> list[dict[str, float]]:
    """Calibrations of `n` future tests, by the fields of `Specimen`.

    Sizes are not drawn: they differ between cells, not between tests of one cell.
    """
    names = sorted(RIGHT.keys() - {"size", *LEADS})
    # Tests of one group share a calibration, which counts once. Impedance spectra say
    # nothing about the current sensor.
    found = {
        tuple(sorted((k, v) for k, v in t.calibration.items() if k not in LEADS))
        for t in known.tests
        if not t.experiment.is_spectrum
    }
    rows = np.array([[dict(own)[k] for k in names] for own in sorted(found)])
    rng = np.random.default_rng([seed, 1])
    drawn = np.tile([RIGHT[k] for k in names], (n, 1))
    if len(rows) > 1:
        spread = np.std(rows, axis=0, ddof=1)
        drawn = np.mean(rows, axis=0) + spread * rng.standard_normal(drawn.shape)
    # A cell cannot start with more charge than at SOC 1.
    return [
        {
            k: max(v, 0.0) if k == "missing" else v
            for k, v in zip(names, row, strict=True)
        }
        for row in drawn.tolist()
    ]


@takes
def draws(cell: Cell, known: Uncertainty, n: int, seed: int = 0) -> np.ndarray:
    """Transformed values of the cells that `ensemble` draws, (n, n_z); the best fit first."""
    rng, root, vector = np.random.default_rng(seed), known.root, known.vector
    low, high = vector.bounds
    of_ocp = vector.has_role(Role.OPEN_CIRCUIT_POTENTIAL)
    z = np.tile(known.z, (n, 1))
    fresh = np.arange(n) > 0
    for _ in range(MOST_PULLS):
        # One by one: the same draws, bit by bit, however many are asked for.
        each = [root @ rng.standard_normal(len(known.z)) for _ in np.flatnonzero(fresh)]
        moves = np.reshape(each, (len(each), len(known.z)))
        if known.pull is None:
            z[fresh] = np.clip(known.z + moves, low, high)
        else:
            z[fresh] = known.pull.within(known.pull.unconstrained + moves, low, high)
        fresh = ~np.asarray(_are_possible(vector, cell, z))
        fresh[0] = False
        if not fresh.any():
            break
    for _ in range(MOST_PULLS):
        steepest = np.asarray(_steepest(vector, cell, z))
        rises = steepest > max(0.0, steepest[0])
        if not rises.any():
            break
        pulled = known.z + 0.7 * (z - known.z)
        z = np.where(rises[:, None] & of_ocp, pulled, z)
    return z


@functools.partial(jax.jit, static_argnums=0)
def _are_possible(vector: FreeVector, cell: Cell, z: Array) -> Array:
    """Which draws, (n, n_z), are cells whose numbers are possible, (n,)."""
    return jax.vmap(lambda z: possible(vector.cell(cell, z)))(z)


@functools.partial(jax.jit, static_argnums=0)
@functools.partial(jax.vmap, in_axes=(None, None, 0))
def _steepest(vector: FreeVector, cell: Cell, z: Array) -> Array:
    """Largest slope dU/dx of an open-circuit potential in each of many draws, (n,)."""
    return jnp.max(ocp_slopes(vector.cell(cell, z)))


@takes
def voltage_band(
    drawn: Ensemble, times: np.ndarray, protocol, **options
) -> tuple[Solution, np.ndarray, np.ndarray]:
    """The best solution, and the 90 % band of the voltage at given times.

    Args:
        drawn: from `ensemble`.
        times: [s].
        protocol, options: as for `simulate`. Each draw is simulated with its calibration:
            from the charged state it starts by the drawn charge less full, and the current
            that flows differs from the one asked for by the drawn error of the sensor.

    Returns:
        the solution of the best cell, and the lower and upper voltage, (n,) [V], with the
        model's own error included, and what no test at such a temperature tells
        (`unseen`), of which a `Caution` says how much it is. NaN where more than half of
        the draws have ended.
    """
    start = options.pop("start", "charged")
    steps = protocol if isinstance(protocol, Protocol) else Protocol(protocol)

    def voltages(specimen: Specimen) -> Array:
        own = specimen.of_group(0)
        cell, sto = at_rest(own.cell, start)
        if isinstance(start, str) and start == "charged":
            sto = less_full(cell, sto, own.missing)
        flowed = as_it_flowed(steps, own)
        done = simulate(cell, flowed, start=sto, throw=False, **options)
        return done.at(times).voltage

    cell = drawn.specimens[0].cell
    best = simulate(cell, steps, start=start, throw=False, **options)
    V = run(voltages, stack(drawn.specimens))
    ended = np.mean(np.isnan(V), axis=0) > 0.5
    V = np.where(ended, 0.0, V)
    centre, spread = np.nanmedian(V, axis=0), np.nanstd(V, axis=0)
    tested = drawn.temperatures
    T, share = least_tested(tested, cell, steps, options.get("temperature"))
    if share > WORTH_SAYING:
        caution(in_words(tested, T, share))
    cell, sto = at_rest(cell, start)
    known = NINETY * np.hypot(spread, drawn.discrepancy)
    below = above = known
    if share:
        most = NINETY * share * mean_overvoltage(cell, sto, best)
        room = room_beyond(cell, sto, best, times, most)
        below, above = (np.hypot(known, width) for width in room)
    return (
        best,
        np.where(ended, np.nan, centre - below),
        np.where(ended, np.nan, centre + above),
    )


class Delivered(NamedTuple):
    """What each draw delivers; the first is the best fit.

    Attributes:
        capacity: charge delivered less charge taken up, (n,) [A.h].
        energy: energy delivered less energy taken up, (n,) [W.h].
    """

    capacity: np.ndarray
    energy: np.ndarray


@takes
def delivered(
    drawn: Ensemble, protocol: Protocol | str | list[str], **options
) -> Delivered:
    """What a protocol delivers with each draw, NaN where its simulation failed.

    Args:
        drawn: from `ensemble`.
        protocol, options: as for `simulate`. All draws begin with the same start.
    """
    steps = protocol if isinstance(protocol, Protocol) else Protocol(protocol)

    def both(cell: Cell) -> Array:
        done = simulate(cell, steps, throw=False, **options)
        found = jnp.stack([done.capacity, done.energy])
        ends_well = done.outcome <= int(Result.POWER_INFEASIBLE)
        return jnp.where(ends_well, found, jnp.nan)

    capacity, energy = np.asarray(run(both, stack(drawn.cells))).T
    return Delivered(capacity, energy)
