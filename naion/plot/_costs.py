"""Figures of what cells cost."""

from typing import Any

import numpy as np

from .._pictures import new_figure
from .._takes import takes
from ..cost import Study, lithium_quotes


@takes
def cheaper(study: Study, other: str, axes: Any = None) -> Any:
    """Chance that designs cost less than another, over the price of lithium carbonate.

    What carbonate cost from 2021 to June 2026 is marked.

    Args:
        study: from `naion.cost.study`.
        other: name of a design of the study.
        axes: none: new ones.

    Returns:
        The axes.

    Raises:
        KeyError: for a design that is not in the study.
    """
    if axes is None:
        axes = new_figure(7.5, 4.2).add_subplot()
    price = np.linspace(0.0, 80.0, 321)
    for name in study.names:
        if name != other:
            axes.plot(price, study.cheaper(name, other, price), label=name)
    for quote in lithium_quotes():
        axes.axvline(quote.usd, color="0.8", linewidth=0.8, zorder=0)
        axes.text(
            quote.usd,
            1.02,
            quote.date,
            rotation=90,
            fontsize=6,
            ha="center",
            va="bottom",
        )
    axes.set_xlabel("lithium carbonate, without tax [USD/kg]")
    axes.set_ylabel(f"chance of costing less than {other}")
    axes.set_ylim(0.0, 1.0)
    axes.set_xlim(price[0], price[-1])
    axes.legend(fontsize=7, loc="lower right")
    return axes
