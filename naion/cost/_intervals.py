"""Intervals of drawn costs, and costs for each kilowatt-hour that is delivered."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._takes import takes


def interval(values: Any) -> tuple[float, float, float]:
    """5, 50 and 95 % quantiles of draws; NaN where there are none. Costs may be infinite."""
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if known.size == 0:
        return float("nan"), float("nan"), float("nan")
    # Nothing is interpolated between infinities.
    how = "linear" if np.isfinite(known).all() else "nearest"
    ends = np.percentile(known, [5.0, 50.0, 95.0], method=how)
    low, middle, high = (float(x) for x in ends)
    return low, middle, high


@takes
def per_delivered(costs: np.ndarray, shares: Mapping[str, Any], names: Sequence[str]):
    """Costs for each kWh delivered, where a cell delivers only a share of its energy.

    Args:
        costs: costs of the designs, (n, d) [USD/kWh].
        shares: delivered share of the energy by name of the design, () or (n,) [-].
        names: names of the d designs.

    Returns:
        costs, (n, d) [USD for each kWh delivered]; NaN for designs without a share,
        infinite where nothing is delivered.

    Raises:
        ValueError: for a share that is below 0 or above 1.2.
    """
    columns = []
    for k, name in enumerate(names):
        share = np.asarray(shares.get(name, np.nan), float)
        if np.any((share < 0.0) | (share > 1.2)):
            raise ValueError(
                f"share of {name}: {share!r:.60}; expected what is delivered over what is "
                "at 25 degC, 0 to 1.2."
            )
        with np.errstate(divide="ignore"):
            columns.append(costs[:, k] / share)
    return np.stack(columns, axis=1)
