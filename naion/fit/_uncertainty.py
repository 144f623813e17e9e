"""How certain the parameters of a cell are, from a fit or from a set's ranges."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._takes import takes
from ..io import write_cell
from ..models import DFN
from ..parameters import Cell, ParameterSet
from ._errors import inverse_of
from ._fit import Fit, rms, scores, voltage_errors
from ._free import FreeParameter, Specimen, assumed
from ._left_out import LeftOut
from ._pull import Pull, at_bounds
from ._tested import Tested
from ._vector import FreeVector


@dataclass(frozen=True)
class Uncertainty:
    """What is known of a fitted cell besides its parameters, as kept in `cell.json`.

    Attributes:
        vector: the free parameters of the cell, without calibrations of tests.
        z: their transformed values, (n,).
        covariance: covariance of `z`, with the model's own error included, (n, n). For
            parameters that the data do not determine it is that of the priors.
        discrepancy: standard deviation of the model's own error in voltage [V].
        pull: how the bounds held the fit; none: not fitted, or not in the file.
        model: model with which the cell was fitted; none: not fitted, or not in the file.
        tests: tests to which it was fitted.
    """

    vector: FreeVector
    z: np.ndarray
    covariance: np.ndarray
    discrepancy: float
    pull: Pull | None = None
    model: DFN | None = None
    tests: tuple[Tested, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "free": [f.to_json() for f in self.vector.free],
            "z": self.z.tolist(),
            "covariance": self.covariance.tolist(),
            "discrepancy_V": self.discrepancy,
            "pull": None if self.pull is None else self.pull.to_json(),
            "model": None if self.model is None else self.model.to_json(),
            "tests": [test.to_json() for test in self.tests],
        }

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Temperatures of the tests [K]."""
        return tuple(float(t.experiment.temperature) for t in self.tests)

    @property
    def root(self) -> np.ndarray:
        """A square root of the covariance, of any rank, (n, n)."""
        return _root_of(self.covariance)

    def root_given_rest(self, entries: np.ndarray) -> np.ndarray:
        """A square root of the covariance of some entries of `z` while all others stay."""
        precision = inverse_of(self.covariance)[np.ix_(entries, entries)]
        return _root_of(inverse_of(precision))

    @property
    def of_materials(self) -> "Uncertainty":
        """The same for materials alone, without what a cell design replaces."""
        vector, keep = self.vector.part(not own for own in self.vector.of_design)
        C = self.covariance[np.ix_(keep, keep)]
        pull = None if self.pull is None else self.pull.part(keep)
        return replace(self, vector=vector, z=self.z[keep], covariance=C, pull=pull)

    @classmethod
    def from_json(cls, data: dict[str, Any], cell: Cell) -> "Uncertainty":
        """The inverse of `to_json`, for the cell that it is of."""
        free = tuple(map(FreeParameter.from_json, data["free"]))
        # Old files have no pull, and those of before format 2 neither model nor tests.
        model, pull = data.get("model"), data.get("pull")
        return cls(
            FreeVector.of_cell(free, cell),
            np.array(data["z"]),
            # Of no number at all, what was written is an empty list.
            np.array(data["covariance"]).reshape(np.shape(data["z"]) * 2),
            float(data["discrepancy_V"]),
            None if pull is None else Pull.from_json(pull),
            None if model is None else DFN.from_json(model),
            tuple(Tested.from_json(test) for test in data.get("tests", ())),
        )

    @classmethod
    def read(cls, name: str, data: Any, cell: Cell) -> "Uncertainty":
        """The uncertainty of a fitted cell, from the data in the file `name`.

        Raises:
            ValueError: naming the file, for what `naion fit` would not have written.
        """
        try:
            known = cls.from_json(data, cell)
            n = len(known.vector)
            good = known.z.shape == (n,) and known.covariance.shape == (n, n)
            every = [*known.z.ravel(), *known.covariance.ravel(), known.discrepancy]
            if known.pull is not None:
                to, H = known.pull.unconstrained, known.pull.hessian
                good &= to.shape == (n,) and H.shape == (n, n)
                every += [*to.ravel(), *H.ravel()]
            if not good or not np.all(np.isfinite(np.asarray(every, float))):
                raise ValueError(f"expected {n} finite numbers and their covariance")
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
        ) as error:
            raise ValueError(
                f"{name}: its 'fit' is not what `naion fit` writes ({error}); fit the "
                "cell again."
            ) from None
        return known


@takes
def uncertainty_of(fit: Fit, left: LeftOut | None = None) -> Uncertainty:
    """Uncertainty of the fitted cell, without the calibrations of single tests.

    Args:
        fit: the fit to all tests.
        left: predictions of each condition from the others. The model's own error is taken
            from them where they are worse than the fit.
    """
    problem = fit.problem
    vector, keep = problem.vector.part(not f.by_group for f in problem.free)
    discrepancy = rms(voltage_errors(fit.problem, fit.predictions))
    if left is not None:
        discrepancy = max(discrepancy, left.rmse)
    C, pull = fit.covariance[np.ix_(keep, keep)], _pull_of(fit).part(keep)
    tests = tuple(Tested.of(fit.specimen, e) for e in problem.experiments)
    model = problem.model.of(problem.specimen.cell)
    return Uncertainty(vector, fit.z[keep], C, discrepancy, pull, model, tests)


@takes
def uncertainty_of_set(found: ParameterSet) -> Uncertainty:
    """Uncertainty of a parameter set that was not fitted, from the ranges of its numbers.

    Numbers without a range are taken as exact, and so is the model: the true uncertainty
    is larger.
    """
    vector = FreeVector.of_cell(assumed(found), found.cell)
    root, z = vector.prior_root(), vector.get(Specimen(found.cell, [0.0]))
    return Uncertainty(vector, z, root @ root.T, 0.0)


@takes
def write_fitted_cell(
    path: Path | str, fit: Fit, name: str, left: LeftOut | None = None
) -> None:
    """Write the fitted cell with its uncertainty; see `naion.io.write_cell`.

    Args:
        path: JSON file to write.
        fit: the fit to all tests.
        name: name of the cell.
        left: see `uncertainty_of`.
    """
    write_cell(
        path,
        fit.problem.model.kept_in(fit.specimen.cell),
        name=name,
        fit=uncertainty_of(fit, left).to_json(),
        parameters=fit.table(),
        at_bound=list(fit.at_bound),
        scores=scores(fit),
    )


def _root_of(C: np.ndarray) -> np.ndarray:
    """A square root of a covariance, of any rank: of the correlation the symmetric one.

    Only that one moves with the covariance. Eigenvectors alone would turn with rounding,
    and the same seed would give other draws on another machine.
    """
    sd = np.sqrt(np.maximum(np.diag(C), 1e-300))
    values, vectors = np.linalg.eigh(0.5 * (C + C.T) / np.outer(sd, sd))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return sd[:, None] * root


def _pull_of(fit: Fit) -> Pull:
    """The quadratic cost at the end of a fit, and its minimum without bounds."""
    low, high = fit.problem.vector.bounds
    r, J = fit.near.residuals, fit.near.jacobian
    slope, H = J.T @ r, J.T @ J
    at_low, at_high = at_bounds(fit.z, low, high)
    held = at_low & (slope > 0.0) | at_high & (slope < 0.0)
    # Only slopes of numbers that a bound holds count; that of the others is how far from
    # its minimum the search stopped.
    step = inverse_of(H) @ np.where(held, slope, 0.0)
    return Pull(fit.z - step, H)
