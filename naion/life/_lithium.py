"""Fade of a lithium cell with a published law, to stand beside a sodium one."""

import numpy as np
from numpy.typing import ArrayLike

from .._constants import R
from ._law import within


def lfp_calendar(
    seconds: ArrayLike, T: ArrayLike = 298.15, soc: ArrayLike = 0.5
) -> np.ndarray:
    """Share of the capacity that an LFP/graphite cell loses at rest [-].

    q = k exp(-E/R (1/T - 1/298.15)) [2.8575 (SOC - 0.5)^3 + 0.60225] sqrt(t)

    Args:
        seconds: t [s].
        T: [K].
        soc: state of charge [-].

    Reference: Naumann et al., J. Energy Storage 17 (2018) 153, DOI
    10.1016/j.est.2018.01.019: Sony/Murata 26650, 3 A.h.
    """
    within("T", T, 200.0, 400.0, "K; 25 degC is 298.15")
    within("soc", soc, 0.0, 1.0, "of charge; 80 % is 0.8")
    within("seconds", seconds, 0.0, np.inf, "s")
    warm = np.exp(-17126.0 / R * (1.0 / np.asarray(T) - 1.0 / 298.15))
    by_soc = 2.8575 * (np.asarray(soc) - 0.5) ** 3 + 0.60225
    return 1.2571e-5 * warm * by_soc * np.sqrt(np.asarray(seconds, float))


def lfp_cycling(
    full_cycles: ArrayLike, C: ArrayLike = 1.0, depth: ArrayLike = 1.0
) -> np.ndarray:
    """Share of the capacity that the same cell loses by cycling [-].

    q = (0.0630 C + 0.0971) (4.0253 (DOD - 0.6)^3 + 1.0923) sqrt(N) / 100

    Args:
        full_cycles: N, equivalent full cycles [-].
        C: rate [1/h].
        depth: of discharge [-].

    Reference: Naumann et al., J. Power Sources 451 (2020) 227666, DOI
    10.1016/j.jpowsour.2019.227666.
    """
    within("full_cycles", full_cycles, 0.0, np.inf, "of them")
    within("depth", depth, 0.0, 1.0, "of charge; 80 % is 0.8")
    within("C", C, 0.0, 20.0, "1/h")
    by_depth = 4.0253 * (np.asarray(depth) - 0.6) ** 3 + 1.0923
    by_rate = 0.0630 * np.asarray(C) + 0.0971
    return 0.01 * by_rate * by_depth * np.sqrt(np.asarray(full_cycles, float))
