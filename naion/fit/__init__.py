"""Turn measurements into a cell, and say how well they pin it down."""

from ._certainty import (
    Combination,
    Profile,
    combinations,
    interval,
    profile,
)
from ._design import Ranked, planned, rank, sharpen
from ._errors import errors_of
from ._evaluate import run
from ._experiment import (
    BELOW_ANY_CUT_OFF,
    COMPARED,
    Experiment,
    Kind,
    Observations,
    Part,
    discharge,
    measured_profile,
    pulse,
    recorded,
    segments,
)
from ._fit import Fit, gradient_descent, least_squares, scores, summarise
from ._fleet import fleet
from ._free import Free, Subject, assumed, with_ocp_correction
from ._posterior import log_density, posterior
from ._problem import Problem, ocp_slopes
from ._sense import doubts
from ._strategies import STAGES, multi_start, stage_of, staged

__all__ = [
    "BELOW_ANY_CUT_OFF",
    "COMPARED",
    "Combination",
    "Experiment",
    "Fit",
    "Free",
    "Kind",
    "Observations",
    "Part",
    "Problem",
    "Profile",
    "Ranked",
    "STAGES",
    "Subject",
    "assumed",
    "combinations",
    "discharge",
    "doubts",
    "errors_of",
    "fleet",
    "gradient_descent",
    "interval",
    "least_squares",
    "measured_profile",
    "log_density",
    "multi_start",
    "ocp_slopes",
    "posterior",
    "planned",
    "profile",
    "pulse",
    "rank",
    "recorded",
    "run",
    "scores",
    "segments",
    "sharpen",
    "stage_of",
    "staged",
    "summarise",
    "with_ocp_correction",
]
