"""Which test to do next: how much each would narrow a prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Array

from ..parameters import Cell
from ..protocol import Protocol
from ._certainty import errors_of, inverse_of, linear_prediction
from ._experiment import Experiment, Kind, Observations

if TYPE_CHECKING:
    from ._fit import Fit


def planned(
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
    """A test that has not been made, with its voltage logged evenly in time.

    Args:
        name: for tables.
        protocol: what would be done, from the charged state.
        temperature: of the cell, or of its surroundings with a heat balance [K].
        lasts: for how long the voltage is logged [s]; what the model does not reach does
            not count.
        points: numbers logged.
        sigma: their uncertainty [V].
        group: index into what a `Subject` has for each group.
        discharged: charge taken out before [A.h].
    """
    if not isinstance(protocol, Protocol):
        protocol = Protocol(protocol)
    t = np.linspace(0.0, lasts, points + 1)[1:]
    unknown, spread = np.zeros(points), np.full(points, sigma)
    seen = Observations(Kind.VOLTAGE, t, t, unknown, spread, "planned", t / 3600.0)
    return Experiment(name, protocol, temperature, (seen,), group, discharged)


@dataclass(frozen=True)
class Ranked:
    """A test, and how uncertain a prediction is without and with it.

    Attributes:
        test: that might be made.
        before: standard deviation of the prediction now.
        after: with the test.
    """

    test: Experiment
    before: float
    after: float

    def __str__(self) -> str:
        narrower = 100.0 * (1.0 - self.after / self.before)
        return f"{self.test.name}: the interval becomes {narrower:.0f} % narrower"


def rank(
    fit: "Fit", prediction: Callable[[Cell], Array], tests: Sequence[Experiment]
) -> tuple[Ranked, ...]:
    """Tests by how much each alone would narrow a prediction, the best first.

    In the linear approximation around the fit: the covariance C becomes
    (C^-1 + J^T S^-1 J)^-1 with the test's Jacobian J and errors S that are correlated as
    those of the fitted data are. What would be measured is not needed.

    Args:
        fit: what is known.
        prediction: of a cell, a scalar; differentiable.
        tests: such as from `planned`.

    Raises:
        ValueError: when the prediction does not depend on the free parameters.

    Reference: D. V. Lindley, Ann. Math. Stat. 27 (1956) 986, in its linear form.
    """
    _, slope = linear_prediction(fit, prediction)
    known, errors = inverse_of(fit.covariance), errors_of(fit)
    found = []
    for test in tests:
        problem = replace(fit.problem, experiments=(test,))
        J = problem.jacobian(fit.z)[: test.n_observations]
        S = errors.covariance([test])
        after = np.linalg.inv(known + J.T @ np.linalg.solve(S, J))
        spread = [float(np.sqrt(slope @ C @ slope)) for C in (fit.covariance, after)]
        found.append(Ranked(test, *spread))
    return tuple(sorted(found, key=lambda r: r.after))
