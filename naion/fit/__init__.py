"""Fit cells to measurements, say how well the data determine each parameter, and
predict."""

from ._beyond import UNSEEN_ENERGY, beyond_tests, errors_beyond
from ._certainty import (
    Combination,
    Profile,
    identifiability,
    interval,
    profile,
)
from ._check_up import Change, CheckUps, check_up
from ._constant_current import discharge, pulse, segments
from ._ensemble import Delivered, Ensemble, delivered, draws, ensemble, voltage_band
from ._errors import errors_of
from ._experiment import Experiment, Kind, Observations
from ._experimental_design import (
    RankedTest,
    candidate_spectrum,
    candidate_test,
    optimise_candidate,
    rank_candidates,
)
from ._fit import Fit, scores, scores_of
from ._free import (
    LEADS,
    FreeParameter,
    Specimen,
    assumed,
    check_free,
    check_start,
    with_ocp_correction,
)
from ._in_time import simulate_test
from ._least_squares import AT_ONCE, fleet, least_squares
from ._left_out import HEADER as LEFT_OUT_HEADER
from ._left_out import LeftOut, conditions_of, left_out, nearly_left_out
from ._levenberg_marquardt import SearchState
from ._measured import BELOW_ANY_CUT_OFF
from ._measured_impedance import measured_impedance, spectra_of
from ._measured_profile import COMPARED, STILL, measured_profile
from ._posterior import log_density, posterior
from ._problem import Linearised, Problem, ocp_slopes
from ._pulses import measured_pulses
from ._recorded import Part, recorded
from ._sense import doubts, off_limits
from ._strategies import STAGES, agreement, drawn_starts, multi_start, staged
from ._tested import Tested
from ._uncertainty import (
    Uncertainty,
    uncertainty_of,
    uncertainty_of_set,
    write_fitted_cell,
)
from ._vector import FreeVector

__all__ = [
    "AT_ONCE",
    "BELOW_ANY_CUT_OFF",
    "COMPARED",
    "Change",
    "CheckUps",
    "Combination",
    "Delivered",
    "Ensemble",
    "Experiment",
    "Fit",
    "FreeParameter",
    "FreeVector",
    "Kind",
    "LeftOut",
    "LEADS",
    "LEFT_OUT_HEADER",
    "Linearised",
    "Observations",
    "Part",
    "Problem",
    "Profile",
    "RankedTest",
    "STAGES",
    "STILL",
    "SearchState",
    "Specimen",
    "Tested",
    "UNSEEN_ENERGY",
    "Uncertainty",
    "agreement",
    "assumed",
    "beyond_tests",
    "check_free",
    "check_start",
    "check_up",
    "conditions_of",
    "identifiability",
    "discharge",
    "doubts",
    "delivered",
    "drawn_starts",
    "draws",
    "ensemble",
    "errors_beyond",
    "errors_of",
    "fleet",
    "interval",
    "least_squares",
    "left_out",
    "measured_impedance",
    "measured_profile",
    "measured_pulses",
    "log_density",
    "multi_start",
    "nearly_left_out",
    "off_limits",
    "ocp_slopes",
    "posterior",
    "candidate_spectrum",
    "candidate_test",
    "profile",
    "pulse",
    "rank_candidates",
    "recorded",
    "simulate_test",
    "spectra_of",
    "scores",
    "scores_of",
    "segments",
    "optimise_candidate",
    "staged",
    "uncertainty_of",
    "uncertainty_of_set",
    "voltage_band",
    "with_ocp_correction",
    "write_fitted_cell",
]
