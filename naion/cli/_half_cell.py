"""Half cells of files and command lines."""

import dataclasses
from typing import Any, Literal

import jax.numpy as jnp

from ..parameters import Cell, check, half_cell, lithium_metal, sodium_metal

METALS: tuple[Literal["sodium"], Literal["lithium"]] = ("sodium", "lithium")
"""The first is the usual one."""


def halved(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    metal: Literal["sodium", "lithium"] = "sodium",
    exchange_current: float | None = None,
    separator: float | None = None,
    **others: Any,
) -> Cell:
    """A half cell; see `naion.half_cell`.

    Args:
        cell: the full cell.
        electrode: which works.
        metal: against which.
        exchange_current: of the metal [A.m-2]; none: the usual one.
        separator: its thickness [m]; none: the cell's.
        others: of `half_cell`.

    Raises:
        ValueError: for a half cell, or numbers that cannot be.
    """
    law = lithium_metal if metal == "lithium" else sodium_metal
    kinetics = law() if exchange_current is None else law(exchange_current)
    part = cell.separator
    if separator is not None:
        part = dataclasses.replace(part, thickness=jnp.asarray(separator, float))
    half = half_cell(cell, electrode, metal=kinetics, separator=part, **others)
    check(half)
    return half
