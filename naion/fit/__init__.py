"""Turn measurements into a cell, and say how well they pin it down."""

from ._certainty import (
    Combination,
    Profile,
    combinations,
    error_covariance,
    interval,
    profile,
)
from ._evaluate import run
from ._experiment import (
    BELOW_ANY_CUT_OFF,
    Experiment,
    Kind,
    Observations,
    Part,
    discharge,
    pulse,
    recorded,
    segments,
)
from ._fit import Fit, gradient_descent, least_squares, scores, summarise
from ._fleet import fleet
from ._free import Free, Subject, assumed, with_ocp_correction
from ._posterior import posterior
from ._problem import Problem, ocp_slopes

__all__ = [
    "BELOW_ANY_CUT_OFF",
    "Combination",
    "Experiment",
    "Fit",
    "Free",
    "Kind",
    "Observations",
    "Part",
    "Problem",
    "Profile",
    "Subject",
    "assumed",
    "combinations",
    "discharge",
    "error_covariance",
    "fleet",
    "gradient_descent",
    "interval",
    "least_squares",
    "ocp_slopes",
    "posterior",
    "profile",
    "pulse",
    "recorded",
    "run",
    "scores",
    "segments",
    "summarise",
    "with_ocp_correction",
]
