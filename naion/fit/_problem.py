"""Fits as least-squares problems: residuals, their Jacobian, and priors."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..models import DFN
from ..parameters import Cell, Electrode, Role, check_discharged, is_half_cell
from ._evaluate import Evaluator, Request
from ._experiment import Experiment
from ._free import FreeParameter, Specimen, check_free
from ._seen import Seen
from ._spectra import check_double_layers, say_what_time_has_not
from ._vector import FreeVector


@dataclass(frozen=True)
class Problem:
    """A fit: a cell to start from, its free parameters, and the data.

    Attributes:
        specimen: the cell and calibrations to start from.
        free: free parameters.
        experiments: what was measured.
        model: mesh and heat balance.
        rtol: tolerance of the simulations.
        believed: the specimen at which priors are centred; none: `specimen`.

    Raises:
        TypeError: for what is not a specimen with a cell, or not a model.
        ValueError: for no experiment, no free parameter, free parameters that are not
            numbers, tests of groups that the specimen does not have or from charges that
            it cannot hold, or a spectrum at frequencies where the cell would need double
            layers.
    """

    specimen: Specimen
    free: tuple[FreeParameter, ...]
    experiments: tuple[Experiment, ...]
    model: DFN = DFN()
    rtol: float = 1e-3
    believed: Specimen | None = None

    def __post_init__(self):
        self._check_kinds()
        if not self.experiments:
            raise ValueError("A fit needs at least one experiment.")
        if not self.free:
            raise ValueError("A fit needs at least one free parameter.")
        check_free(self.free, self.specimen)
        self._check_groups()
        check_double_layers(self.specimen, self.experiments)
        say_what_time_has_not(self.specimen, self.free, self.experiments)

    def _check_kinds(self) -> None:
        """Raise for what is not a specimen, a cell or a model."""
        for what, given, kind, such_as in (
            ("specimen", self.specimen, Specimen, "Specimen(cell, [0.0])"),
            ("model", self.model, DFN, "naion.DFN()"),
        ):
            if not isinstance(given, kind):
                raise TypeError(
                    f"{what}={str(given)[:60]!r} is a {type(given).__name__}: expected a "
                    f"`{kind.__name__}`, such as `{such_as}`."
                )
        if not isinstance(self.specimen.cell, Cell):
            raise TypeError(
                f"specimen.cell={str(self.specimen.cell)[:60]!r} is a "
                f"{type(self.specimen.cell).__name__}: expected a `Cell`, such as "
                '`naion.load("nfm_hc_18650")`.'
            )

    def _check_groups(self) -> None:
        """Check that each test has a group of the specimen, and a charge to start from."""
        groups = np.shape(self.specimen.missing)
        if len(groups) != 1:
            raise ValueError(
                f"Specimen: missing is of shape {groups}; expected a number for each group "
                "of tests, [0.0] for one."
            )
        for e in self.experiments:
            if e.group >= groups[0]:
                raise ValueError(
                    f"{e.name}: group = {e.group}; the specimen has {groups[0]}, counted "
                    "from 0."
                )
            check_discharged(
                self.specimen.cell, e.discharged, f"{e.name}: discharged ="
            )

    def __getstate__(self) -> dict[str, Any]:
        """State for pickling: the fields, without the compiled programs of this process."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @functools.cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.vector, self.lanes, self.model, self.rtol, one=True)

    @property
    def lanes(self) -> list[tuple[Specimen, Experiment]]:
        """Pairs of specimen and experiment, one for each simulation."""
        return [(self.specimen, e) for e in self.experiments]

    @functools.cached_property
    def vector(self) -> FreeVector:
        """The vector of free parameters."""
        return FreeVector.of(self.free, self.specimen)

    @functools.cached_property
    def start(self) -> np.ndarray:
        """Transformed start values, (n,)."""
        return self.vector.get(self.specimen)

    def specimen_at(self, z: np.ndarray) -> Specimen:
        """The specimen with the free parameters of `z`."""
        return self.vector.set(self.specimen, jnp.asarray(z))

    def residuals(self, z: Array | np.ndarray) -> Array:
        """Simulated minus measured over uncertainty, then the rows of the priors, (m,).

        JAX can trace it: compile, batch, and differentiate it in both modes. Where a
        simulation ends before the measurement, its voltage is continued steeply downwards.

        Args:
            z: transformed parameters, (n,).
        """
        z = jnp.asarray(z)
        own = _prior_rows(*self.priors, z)
        return jnp.concatenate([self._evaluator.residuals(z), own])

    def loss(self, z: Array | np.ndarray) -> Array:
        """Half the sum of squared `residuals`, which a fit minimises; traceable by JAX."""
        return 0.5 * jnp.sum(self.residuals(z) ** 2)

    def predictions(self, z: np.ndarray) -> list[np.ndarray]:
        """Simulated observations of every experiment, NaN beyond the model's end."""
        return _predictions(self._ask("predictions", z), self.experiments)

    def linearised(self, z: np.ndarray) -> "Linearised":
        """Predictions, residuals and their Jacobian, by forward mode."""
        z = np.asarray(z)
        seen, slopes = self._ask("linearised", z)
        own = _prior_linearised(*self.priors, jnp.asarray(z))
        return Linearised.of(self.experiments, seen, slopes, *map(np.asarray, own))

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """Derivatives of `residuals`, by forward mode through the simulations."""
        return self.linearised(z).jacobian

    def _ask(self, request: Request, z: np.ndarray) -> Any:
        k = len(self.experiments)
        at = np.broadcast_to(z, (k, len(z)))
        return self._evaluator.ask(request, range(k), at)

    @property
    def priors(self) -> tuple[FreeVector, Specimen, Array]:
        """Arguments of `prior_rows` but for z: vector, specimen and centre."""
        believed = self.specimen if self.believed is None else self.believed
        return self.vector, self.specimen, jnp.asarray(self.vector.get(believed))


class Predicted(NamedTuple):
    """A problem evaluated at a point, without derivatives of its simulations.

    Attributes:
        predictions: simulated observations of every experiment, NaN beyond the model's end.
        residuals: residuals of the data, then of the priors, (m,).
        prior_slopes: Jacobian of the residuals of the priors, (k, n).
    """

    predictions: list[np.ndarray]
    residuals: np.ndarray
    prior_slopes: np.ndarray

    @classmethod
    def of(
        cls,
        experiments: Sequence[Experiment],
        seen: Seen,
        of_priors: np.ndarray,
        prior_slopes: np.ndarray,
    ) -> "Predicted":
        """From what an `Evaluator` gives for each experiment, and the priors' rows."""
        residuals = np.concatenate([*_of_data(seen, experiments), of_priors])
        return cls(_predictions(seen, experiments), residuals, prior_slopes)

    @property
    def cost(self) -> float:
        """Half the sum of squared residuals."""
        return 0.5 * float(self.residuals @ self.residuals)


@dataclass(frozen=True)
class Linearised:
    """A problem linearised at a point.

    Attributes:
        predictions: simulated observations of every experiment, NaN beyond the model's end.
        residuals: residuals of the data, then of the priors, (m,).
        jacobian: derivatives of the residuals, (m, n).
    """

    predictions: list[np.ndarray]
    residuals: np.ndarray
    jacobian: np.ndarray

    @classmethod
    def of(
        cls,
        experiments: Sequence[Experiment],
        seen: Seen,
        slopes: np.ndarray,
        of_priors: np.ndarray,
        prior_slopes: np.ndarray,
    ) -> "Linearised":
        """From what an `Evaluator` gives for each experiment, and the priors' rows."""
        J = [
            np.where(np.isfinite(S), S, 0.0) / _measured(e)[1][:, None]
            for S, e in zip(_whole(slopes, experiments), experiments, strict=True)
        ]
        at = Predicted.of(experiments, seen, of_priors, prior_slopes)
        return cls(at.predictions, at.residuals, np.vstack([*J, prior_slopes]))

    def moved(self, move: np.ndarray, scale: np.ndarray, to: Predicted) -> "Linearised":
        """The secant at another point: the Jacobian updated from the residuals there.

        Broyden's rule: of all Jacobians that explain the change of the residuals, the one
        that differs least from the old one. Rows of the priors are exact.

        Args:
            move: step to the other point, (n,).
            scale: lengths by which entries of the step compare, (n,).
            to: the problem evaluated at the other point.
        """
        missed = to.residuals - self.residuals - self.jacobian @ move
        along = move / scale**2
        J = self.jacobian + np.outer(missed, along / (along @ move))
        J[len(J) - len(to.prior_slopes) :] = to.prior_slopes
        return Linearised(to.predictions, to.residuals, J)


def _predictions(seen: Seen, experiments: Sequence[Experiment]) -> list[np.ndarray]:
    """Simulated observations of every experiment, NaN beyond the model's end."""
    return _whole(np.where(seen.reached, seen.value, np.nan), experiments)


def _of_data(seen: Seen, experiments: Sequence[Experiment]) -> list[np.ndarray]:
    """Residuals of every experiment."""
    rows = _whole(np.asarray(seen.value), experiments)
    found = []
    for row, e in zip(rows, experiments, strict=True):
        value, sigma = _measured(e)
        found.append((row - value) / sigma)
    return found


def _whole(rows: np.ndarray, experiments: Sequence[Experiment]) -> list[np.ndarray]:
    """The rows of experiments without their padding."""
    pairs = zip(rows, experiments, strict=True)
    return [row[: e.n_observations] for row, e in pairs]


def _measured(e: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """All measured values of an experiment in a row, and their uncertainties, (m,) each."""
    o = e.observations
    return (
        np.concatenate([np.asarray(x.value, float) for x in o]),
        np.concatenate([np.asarray(x.sigma, float) for x in o]),
    )


def prior_rows(
    vector: FreeVector, specimen: Specimen, centre: Array, z: Array
) -> Array:
    """Residuals of the priors, then those that keep fitted open-circuit potentials falling.

    Args:
        vector: free parameters.
        specimen: the specimen that they are of.
        centre: transformed values at which priors are centred, (n,).
        z: transformed values, (n,).
    """
    rows = vector.prior_rows(centre, z)
    if Role.OPEN_CIRCUIT_POTENTIAL not in vector.roles:
        return rows
    steep = ocp_slopes(vector.set(specimen, z).cell) / FALL
    return jnp.concatenate([rows, jax.nn.softplus(1.0 + steep)])


_prior_rows = eqx.filter_jit(prior_rows)


def prior_linearised(*of_priors: Any) -> tuple[Array, Array]:
    """Residuals of the priors and their Jacobian; arguments of `prior_rows`."""
    return prior_rows(*of_priors), jax.jacobian(prior_rows, argnums=3)(*of_priors)


_prior_linearised = eqx.filter_jit(prior_linearised)


FALL = 0.01
"""Slope by which fitted open-circuit potentials are made to fall at least [V per unit of x].

Where a potential rises with x, an electrode is unstable: some particles fill up while others
empty, and nothing that is computed for such a cell can be trusted.
"""


@takes
def ocp_slopes(cell: Cell) -> Array:
    """dU/dx of the open-circuit potentials between x = 0.01 and 0.99, (98,) or (196,) [V].

    Of the negative electrode first; a half cell has the working electrode alone.
    """
    x = jnp.linspace(0.01, 0.99, 99)

    def slope(electrode: Electrode) -> Array:
        U = electrode.particle.ocp
        return jnp.diff(U(x, cell.temperature)) / jnp.diff(x)

    if is_half_cell(cell):
        return slope(cell.positive)
    return jnp.concatenate([slope(cell.negative), slope(cell.positive)])
