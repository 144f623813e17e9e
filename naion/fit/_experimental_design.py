"""Optimal experimental design: which test would narrow a prediction most."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._blas import one_blas_thread
from .._constants import ZERO_CELSIUS
from .._takes import takes
from ..models import DFN
from ..parameters import Cell
from ..protocol import Protocol
from ._certainty import linear_prediction
from ._errors import errors_of, inverse_of
from ._experiment import Experiment, Kind, Observations
from ._free import Specimen
from ._in_time import PaddedTest, padded, simulated
from ._measured_impedance import FLOOR, measured_impedance, spectra_of
from ._seen import PADDED
from ._vector import FreeVector

if TYPE_CHECKING:
    from ._fit import Fit


@takes
def candidate_test(
    name: str,
    protocol: Protocol | str | Sequence[str],
    temperature: float,
    lasts: float,
    *,
    points: int = 60,
    sigma: float = 0.005,
    group: int = 0,
    discharged: float = 0.0,
) -> Experiment:
    """A test that could be made, with its voltage logged at even intervals.

    Args:
        name: name in tables.
        protocol: what would be done, from the charged state.
        temperature: temperature of the cell, or of its surroundings where the model has a
            heat balance [K].
        lasts: for how long the voltage is logged [s]; points that the model does not
            reach do not count.
        points: number of logged voltages.
        sigma: their uncertainty [V].
        group: index of the group of tests; a `Specimen` holds calibrations by group.
        discharged: charge taken out of the charged cell before the test [A.h].
    """
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol)
    t = np.linspace(0.0, lasts, points + 1)[1:]
    unknown, spread = np.zeros(points), np.full(points, sigma)
    hours = t / 3600.0
    seen = Observations(
        Kind.VOLTAGE, t, t, unknown, spread, "planned", hours, "Time [h]"
    )
    return Experiment(name, protocol, temperature, (seen,), group, discharged)


@takes
def candidate_spectrum(
    name: str,
    fit: "Fit",
    frequency: Any,
    temperature: float,
    *,
    discharged: float = 0.0,
    relative_sigma: float = 0.02,
    floor: float = FLOOR,
    group: int = 0,
) -> Experiment:
    """An impedance spectrum that could be measured.

    Args:
        name: name in tables.
        fit: its cell gives the size of the impedance, and with it that of the errors.
        frequency: frequencies, (n,) [Hz].
        temperature, discharged, relative_sigma, floor, group: as of
            `measured_impedance`.

    Raises:
        ValueError: for a state of charge that the fitted cell cannot have, and as
            `measured_impedance`.
    """
    f = np.atleast_1d(np.asarray(frequency, float))
    given: dict[str, Any] = {"discharged": discharged, "floor": floor, "group": group}
    given |= {"relative_sigma": relative_sigma, "note": "planned"}
    empty = measured_impedance(name, f, np.ones(f.shape), temperature, **given)
    at, _, Z = spectra_of(empty, _shown(fit, empty))
    if not np.all(np.isfinite(Z)):
        degC = temperature - ZERO_CELSIUS
        raise ValueError(
            f"{name}: the fitted cell has no impedance at {degC:.4g} degC "
            f"with {discharged:g} A.h taken out; expected a state between charged and "
            "discharged."
        )
    return measured_impedance(name, at, Z, temperature, **given)


def _shown(fit: "Fit", test: Experiment) -> np.ndarray:
    """Observations that the fitted cell gives in a test, NaN where it has none, (m,)."""
    return replace(fit.problem, experiments=(test,)).predictions(fit.z)[0]


@dataclass(frozen=True)
class RankedTest:
    """A candidate test, and how uncertain a prediction is without and with it.

    Attributes:
        test: the test that could be made.
        before: standard deviation of the prediction without it.
        after: standard deviation of the prediction with it.
    """

    test: Experiment
    before: float
    after: float

    def __str__(self) -> str:
        narrower = 100.0 * (1.0 - self.after / self.before)
        return f"{self.test.name}: the interval becomes {narrower:.0f} % narrower"


@takes
def rank_candidates(
    fit: "Fit", prediction: Callable[[Cell], Array], tests: Sequence[Experiment]
) -> tuple[RankedTest, ...]:
    """Rank tests by how much each alone would narrow a prediction, the best first.

    In the linear approximation around the fit a test turns the covariance C of the
    parameters into (C^-1 + J^T S^-1 J)^-1, with the test's Jacobian J and the covariance S
    of its errors, which are correlated as those of the fitted data are. This does not
    depend on the values that would be measured.

    Args:
        fit: the fit so far.
        prediction: a differentiable function of the cell that returns a scalar.
        tests: candidates, such as from `candidate_test` and `candidate_spectrum`.

    Raises:
        ValueError: when the prediction does not depend on the free parameters.

    Reference: D. V. Lindley, Ann. Math. Stat. 27 (1956) 986, in its linear form.
    """
    _, slope = linear_prediction(fit, prediction)
    worth = _Worth(fit, slope)
    found = [RankedTest(test, worth.before, worth.of(test).after) for test in tests]
    return tuple(sorted(found, key=lambda r: r.after))


@takes
@one_blas_thread()
def optimise_candidate(
    fit: "Fit",
    prediction: Callable[[Cell], Array],
    test: Experiment,
    vary: Mapping[str, tuple[float, float]],
    *,
    max_evaluations: int = 20,
) -> RankedTest:
    """Change numbers of a test until the prediction would be least uncertain after it.

    Uses the gradient of the uncertainty through the simulation of the protocol.

    Args:
        fit, prediction: as in `rank_candidates`.
        test: the test to begin with.
        vary: lowest and highest value of each number that may change: "temperature" [K],
            "discharged" [A.h], or a number of the protocol by field and row, such as
            "value[0]" (a C-rate, or in the unit of the protocol) or "duration[1]" [s]. Of
            spectra the first two can change; their errors stay the same share of the
            impedance.
        max_evaluations: most evaluations of the uncertainty.

    Returns:
        the best test found; its name says the numbers.

    Raises:
        ValueError: for a number that the test does not have.
    """
    from scipy import optimize

    low, high = np.array(list(vary.values())).T
    start = np.array([_number(test, name) for name in vary])
    _, slope = linear_prediction(fit, prediction)
    worth = _Worth(fit, slope)

    def at(x: np.ndarray) -> Experiment:
        numbers = dict(zip(vary, low + x * (high - low), strict=True))
        changed = _changed(test, numbers)
        return _reweighed(fit, test, changed) if test.is_spectrum else changed

    def spread(x: np.ndarray) -> float:
        return worth.of(at(x)).after / worth.before

    def with_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        here = at(x)
        found = worth.of(here)
        by_number = worth.slope(here, found, tuple(vary))
        return found.after / worth.before, by_number * (high - low) / worth.before

    # Tests in time have exact gradients. The errors of a spectrum change with its state,
    # which the exact gradient leaves out; as spectra take a hundredth of the time of a
    # test, finite differences do for them.
    options: dict[str, Any] = {"maxfun": max_evaluations}
    if test.is_spectrum:
        options["eps"] = FINITE_SHARE
    done = optimize.minimize(
        spread if test.is_spectrum else with_slope,
        np.clip((start - low) / (high - low), 0.0, 1.0),
        jac=not test.is_spectrum,
        bounds=[(0.0, 1.0)] * len(start),
        method="L-BFGS-B",
        options=options,
    )
    numbers = zip(vary, low + done.x * (high - low), strict=True)
    text = ", ".join(f"{name} = {value:.4g}" for name, value in numbers)
    best = replace(at(done.x), name=f"{test.name} with {text}")
    return RankedTest(best, worth.before, worth.of(best).after)


def _reweighed(fit: "Fit", test: Experiment, changed: Experiment) -> Experiment:
    """A spectrum at another state, with errors that are the same share of the impedance.

    In a state that the cell cannot have, the errors are so large that it tells nothing.
    """
    _, before, _ = spectra_of(test, np.zeros(test.n_observations))
    _, _, now = spectra_of(changed, _shown(fit, changed))
    share = np.abs(now) / np.abs(before)
    share = np.where(np.isfinite(share), share, PADDED)
    seen = (replace(o, sigma=o.sigma * share) for o in changed.observations)
    return replace(changed, observations=tuple(seen))


class _Seen(NamedTuple):
    """Uncertainty of a prediction after a test, and the vectors that its gradient needs.

    A is the precision of the parameters with the test, g the gradient of the prediction.

    Attributes:
        after: standard deviation of the prediction.
        along: A^-1 g, the direction in which parameters matter to the prediction, (n,).
        weights: S^-1 J A^-1 g, for the scaled numbers of the test, (m,).
    """

    after: float
    along: np.ndarray
    weights: np.ndarray


class _Worth:
    """How uncertain a prediction with a given gradient is after a test."""

    def __init__(self, fit: "Fit", slope: np.ndarray):
        self.fit, self.slope_of_prediction = fit, slope
        self.known, self.errors = inverse_of(fit.covariance), errors_of(fit)
        self.before = float(np.sqrt(slope @ fit.covariance @ slope))

    def of(self, test: Experiment) -> _Seen:
        problem = replace(self.fit.problem, experiments=(test,))
        J = problem.jacobian(self.fit.z)[: test.n_observations]
        told = np.linalg.solve(self.errors.covariance([test]), J)
        along = np.linalg.solve(self.known + J.T @ told, self.slope_of_prediction)
        variance = float(self.slope_of_prediction @ along)
        return _Seen(np.sqrt(variance), along, told @ along)

    def slope(
        self, test: Experiment, seen: _Seen, names: tuple[str, ...]
    ) -> np.ndarray:
        """Gradient of `after` by numbers of the test, through its simulation.

        The variance g^T A^-1 g changes by -2 w^T dJ a, with a = A^-1 g and w = S^-1 J a.
        J a is the derivative of the observations V along a. So the gradient of w^T V by
        the numbers of the test is taken at two points, on both sides of the fit along a,
        and the difference gives w^T dJ a.
        """
        problem = self.fit.problem
        sd = np.sqrt(np.diag(self.fit.covariance))
        h = FINITE / float(np.max(np.abs(seen.along) / sd))
        weigh = _weighed(problem.vector, problem.model, problem.rtol, names)
        low, high = (
            weigh(problem.specimen, test, self.fit.z + s * h * seen.along, seen.weights)
            for s in (-1.0, 1.0)
        )
        return -(high - low) / (2.0 * h) / seen.after


OF_STATE = "temperature", "discharged"
"""Numbers of a test that do not belong to its protocol."""

FINITE_SHARE = 1e-3
"""Step of finite differences, as a share of the range in which a number may vary."""

FINITE = 0.05
"""Distance from the fit at which gradients through a protocol are taken, in standard
deviations of the fit."""


def _place(name: str) -> tuple[str, int]:
    field, _, row = name.partition("[")
    if not row.endswith("]") or not row[:-1].isdigit():
        raise ValueError(
            f"{name!r}: expected 'temperature', 'discharged', or a field of the protocol "
            "with its row, such as 'value[0]' or 'duration[1]'."
        )
    return field, int(row[:-1])


def _number(test: Experiment, name: str) -> float:
    if name in OF_STATE:
        return float(getattr(test, name))
    field, row = _place(name)
    if test.is_spectrum:
        raise ValueError(
            f"{name!r}: {test.name!r} is an impedance spectrum, without a protocol to "
            f"change; it has {' and '.join(OF_STATE)}."
        )
    values = getattr(test.protocol, field, None)
    if values is None or row >= test.protocol.n_steps:
        raise ValueError(
            f"{name!r}: {test.name!r} has {test.protocol.n_steps} steps, with fields such "
            "as value, duration, temperature."
        )
    return float(values[row])


def _changed(test: Any, numbers: Mapping[str, Any]) -> Any:
    """A test, or its padded arrays, with other numbers, which JAX may be tracing."""
    protocol = test.protocol
    for name, value in numbers.items():
        if name in OF_STATE:
            continue
        field, row = _place(name)
        array = getattr(protocol, field)
        new = jnp.asarray(array).at[row].set(value)
        protocol = eqx.tree_at(lambda p, f=field: getattr(p, f), protocol, new)
    of_state = {name: numbers[name] for name in OF_STATE if name in numbers}
    changes = {"protocol": protocol, **of_state}
    if isinstance(test, Experiment):
        return replace(test, **changes)
    return test._replace(**changes)


@functools.cache
def _weighed(
    vector: FreeVector, model: DFN, rtol: float, names: tuple[str, ...]
) -> Callable[..., np.ndarray]:
    """Gradient of a weighted sum of a test's observations, by numbers of the test."""

    @jax.jit
    def gradient(
        specimen: Specimen, arrays: PaddedTest, z: Array, weights: Array
    ) -> Array:
        def total(numbers: Array) -> Array:
            changed = _changed(arrays, dict(zip(names, numbers, strict=True)))
            seen = simulated(vector.set(specimen, z), changed, model, rtol)
            n = len(weights)
            return weights @ (seen.value[:n] / arrays.sigma[:n])

        values = [
            getattr(arrays, n) if n in OF_STATE else _of_row(arrays, n) for n in names
        ]
        return jax.grad(total)(jnp.stack(values))

    def answer(specimen: Specimen, test: Experiment, z, weights) -> np.ndarray:
        arrays = padded(test, test.protocol.n_steps, test.n_observations)
        arrays = jax.tree.map(jnp.asarray, arrays)
        return np.asarray(
            gradient(specimen, arrays, jnp.asarray(z), jnp.asarray(weights))
        )

    return answer


def _of_row(arrays: PaddedTest, name: str) -> Array:
    field, row = _place(name)
    return getattr(arrays.protocol, field)[row]
