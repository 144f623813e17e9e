"""A fit as residuals: simulated minus measured, over the uncertainty."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..models import DFN
from ..parameters import Cell, Electrode, Role
from ._evaluate import Evaluator, Question, residual
from ._experiment import Experiment
from ._free import FreeParameter, Specimen, check_free
from ._vector import FreeVector


@dataclass(frozen=True)
class Problem:
    """What to fit to what.

    Attributes:
        specimen: where to start from.
        free: what may move.
        experiments: what was measured.
        model: equations and mesh.
        rtol: tolerance of the simulations.
        believed: around which priors are; none: `specimen`.
    """

    specimen: Specimen
    free: tuple[FreeParameter, ...]
    experiments: tuple[Experiment, ...]
    model: DFN = DFN()
    rtol: float = 1e-3
    believed: Specimen | None = None
    # What answers questions, and which of its lanes are ours.
    _evaluator: Any = field(init=False, repr=False)
    _rows: range = field(init=False, repr=False)

    def __post_init__(self):
        if not self.experiments:
            raise ValueError("A fit needs at least one experiment.")
        if not self.free:
            raise ValueError("A fit needs at least one free parameter.")
        check_free(self.free, self.specimen)
        own = Evaluator(self.vector, self.lanes, self.model, self.rtol, one=True)
        self._ask_from(own, 0)

    def _ask_from(self, evaluator: Any, first: int) -> None:
        object.__setattr__(self, "_evaluator", evaluator)
        rows = range(first, first + len(self.experiments))
        object.__setattr__(self, "_rows", rows)

    def answered_by(self, evaluator: Any, first: int) -> "Problem":
        """The same problem, computed by an evaluator of many, from its lane `first`."""
        other = replace(self)
        other._ask_from(evaluator, first)
        return other

    @property
    def lanes(self) -> list[tuple[Specimen, Experiment]]:
        """What is simulated: every experiment on the specimen."""
        return [(self.specimen, e) for e in self.experiments]

    @functools.cached_property
    def vector(self) -> FreeVector:
        """Which entries of z are whose."""
        return FreeVector.of(self.free, self.specimen)

    @functools.cached_property
    def start(self) -> np.ndarray:
        """Transformed start values."""
        return self.vector.get(self.specimen)

    def specimen_at(self, z: np.ndarray) -> Specimen:
        """The specimen with the free parameters of `z`."""
        return self.vector.set(self.specimen, jnp.asarray(z))

    def predictions(self, z: np.ndarray) -> list[np.ndarray]:
        """Simulated observations of every experiment; NaN where the model ended."""
        rows = self._ask("predictions", z)
        pairs = zip(rows, self.experiments, strict=True)
        return [row[: e.n_observations] for row, e in pairs]

    def residuals(
        self, z: np.ndarray, predictions: list[np.ndarray] | None = None
    ) -> np.ndarray:
        """Data residuals, then prior residuals; the fit minimises half their squares.

        Args:
            z: transformed parameters, (n,).
            predictions: of the experiments at `z`, if they are known already.
        """
        models = self.predictions(z) if predictions is None else predictions
        pairs = zip(models, self.experiments, strict=True)
        rows = [residual(model, *_measured(e)) for model, e in pairs]
        return np.concatenate([*rows, self._prior(z)])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """Derivatives of `residuals`, by forward mode through the simulations."""
        rows = []
        for J, e in zip(self._ask("jacobian", z), self.experiments, strict=True):
            J = J[: e.n_observations]
            _, sigma = _measured(e)
            rows.append(np.where(np.isfinite(J), J, 0.0) / sigma[:, None])
        return np.vstack([*rows, _prior_jacobian(*self.priors, jnp.asarray(z))])

    def value_and_grad(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Half the sum of squares and its gradient, by reverse mode."""
        costs, gradients = self._ask("gradient", z)
        r, J = self._prior(z), _prior_jacobian(*self.priors, jnp.asarray(z))
        value = np.sum(costs) + 0.5 * np.sum(r * r)
        return float(value), np.sum(gradients, axis=0) + r @ np.asarray(J)

    def traced_residuals(self) -> Callable[[Array], Array]:
        """Residuals of the data as a function that can be traced inside `jit`."""
        return self._evaluator.traced_residuals(self._rows)

    def _ask(self, question: Question, z: np.ndarray):
        at = np.broadcast_to(z, (len(self._rows), len(z)))
        return self._evaluator.ask(question, self._rows, at)

    @property
    def priors(self):
        """What the priors are of and around: arguments of `prior_rows`, but for z."""
        believed = self.specimen if self.believed is None else self.believed
        return self.vector, self.specimen, jnp.asarray(self.vector.get(believed))

    def _prior(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(_prior_residuals(*self.priors, jnp.asarray(z)))


def _measured(e: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Values and their uncertainties, one after the other."""
    o = e.observations
    return (
        np.concatenate([np.asarray(x.value, float) for x in o]),
        np.concatenate([np.asarray(x.sigma, float) for x in o]),
    )


def prior_rows(
    vector: FreeVector, specimen: Specimen, centre: Array, z: Array
) -> Array:
    """Rows of the vector's priors, then those that keep fitted potentials falling."""
    rows = vector.prior_rows(centre, z)
    if Role.OPEN_CIRCUIT_POTENTIAL not in vector.roles:
        return rows
    steep = ocp_slopes(vector.set(specimen, z).cell) / FALL
    return jnp.concatenate([rows, jax.nn.softplus(1.0 + steep)])


_prior_residuals = eqx.filter_jit(prior_rows)
_prior_jacobian = eqx.filter_jit(jax.jacobian(prior_rows, argnums=3))


FALL = 0.01
"""Fitted open-circuit potentials fall by more than about this [V per unit of x].

Where one rises with x, the particles of an electrode unmix: some fill up while others
empty, and nothing computed from such a cell can be trusted.
"""


def ocp_slopes(cell: Cell) -> Array:
    """dU/dx of both open-circuit potentials between x = 0.01 and 0.99 [V]."""
    x = jnp.linspace(0.01, 0.99, 99)

    def slope(electrode: Electrode) -> Array:
        U = electrode.particle.ocp
        return jnp.diff(U(x, cell.temperature)) / jnp.diff(x)

    return jnp.concatenate([slope(cell.negative), slope(cell.positive)])
