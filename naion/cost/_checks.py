"""Checks of what a study of costs is asked with."""

from typing import Any

import numpy as np
from jax.core import Tracer

MOST_LITHIUM = 1000.0
"""Highest price of lithium carbonate [USD/kg]; a higher one was meant in other units."""


def check_lithium(price: Any) -> None:
    """Raise for an impossible price of lithium carbonate [USD/kg], unless JAX traces it.

    Raises:
        ValueError: with the unit that is expected.
    """
    if isinstance(price, Tracer):
        return
    found = np.asarray(price, float)
    if not np.all((found >= 0.0) & (found <= MOST_LITHIUM)):
        raise ValueError(
            f"lithium={price!r:.60}: expected USD/kg of carbonate without tax, 0 to "
            f"{MOST_LITHIUM:g}. Is it in CNY/t? 100,000 CNY/t with tax are about 12.8 "
            "USD/kg."
        )
