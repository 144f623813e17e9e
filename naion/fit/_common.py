"""Simulations of many problems of one structure in common batches."""

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ..batch import Program, stack
from ._evaluate import Evaluator, Request, Rows
from ._problem import Linearised, Predicted, Problem, prior_linearised
from ._vector import FreeVector


class Common:
    """Simulates problems with the same free parameters, model and tolerance together.

    Args:
        problems: one or more.
        at_once: most problems of one batch.
    """

    def __init__(self, problems: Sequence[Problem], at_once: int):
        one, self.problems, self.at_once = problems[0], problems, at_once
        lanes = [lane for p in problems for lane in p.lanes]
        alone = len(problems) == 1
        self.evaluator = Evaluator(one.vector, lanes, one.model, one.rtol, one=alone)
        self.ends = np.cumsum([0, *(len(p.experiments) for p in problems)])
        self.most = at_once * max(len(p.experiments) for p in problems)
        priors = [p.priors for p in problems]
        centres = np.stack([np.asarray(centre) for _, _, centre in priors])
        self.priors = Rows((stack([s for _, s, _ in priors]), centres), one=alone)
        self.of_priors = _of_priors(one.vector)

    def predicted(self, which: np.ndarray, z: np.ndarray) -> list[Predicted]:
        """Predictions and residuals of some problems, without slopes of the simulations.

        Args:
            which: indices of the problems, (k,).
            z: a point of each, (k, n).
        """
        found, *priors = self._ask("predictions", which, z)
        return [
            Predicted.of(self.problems[i].experiments, seen, *own)
            for i, seen, *own in zip(which, found, *priors, strict=True)
        ]

    def linearised(self, which: np.ndarray, z: np.ndarray) -> list[Linearised]:
        """Residuals and Jacobians of some problems; arguments as of `predicted`."""
        if not which.size:
            return []
        found, *priors = self._ask("linearised", which, z)
        return [
            Linearised.of(self.problems[i].experiments, *data, *own)
            for i, data, *own in zip(which, found, *priors, strict=True)
        ]

    def _ask(self, request: Request, which: np.ndarray, z: np.ndarray) -> list[list]:
        """For each problem: answers for its data, rows of its priors, and their Jacobian."""
        rows = [row for i in which for row in range(self.ends[i], self.ends[i + 1])]
        counts = np.diff(self.ends)[which]
        found = self.evaluator.ask(request, rows, z.repeat(counts, 0), self.most)
        each = [
            jax.tree.map(lambda a, part=slice(*part): a[part], found)
            for part in itertools.pairwise(np.cumsum([0, *counts]))
        ]
        own = self.priors.ask(self.of_priors, which, z, self.at_once)
        return [each, *map(list, own)]


@functools.cache
def _of_priors(vector: FreeVector) -> Program:
    """Program of one problem: rows of its priors and their Jacobian."""

    def of_lane(lane: Any) -> Any:
        z, (specimen, centre) = lane
        return prior_linearised(vector, specimen, centre, z)

    return Program(of_lane)
