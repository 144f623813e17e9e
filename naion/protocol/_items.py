"""Read lists of steps, with cycles as lists within them."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from ._checks import shortened
from ._grammar import parse_step
from ._step import Step

MOST_ROWS = 10_000_000
"""Most rows of a protocol, which are already more than a gigabyte of numbers."""


def read_items(steps: Any) -> tuple[list[Step], list[int]]:
    """Steps, and the number of each step's cycle, counted from 0.

    A list or tuple within the list is a cycle, as in PyBaMM. Neighbouring steps outside of
    such lists form a cycle together.

    Raises:
        ValueError: naming the item that is neither a step nor a cycle.
    """
    if isinstance(steps, str | Step):
        steps = [steps]
    if isinstance(steps, bytes | Mapping | Set) or not isinstance(steps, Iterable):
        raise ValueError(
            "A protocol is a text, a `Step`, or a list of these and of tuples of these "
            f"(cycles), got {shortened(steps)} ({type(steps).__name__})."
        )
    items = list(steps)
    known: dict[str, Step] = {}
    read: list[Step] = []
    cycles: list[int] = []
    previous_nested = False
    for i, item in enumerate(items):
        where = f"Protocol item {i + 1}"
        nested = isinstance(item, list | tuple)
        within = list(item) if nested else [item]
        if not within:
            raise ValueError(f"{where} is a cycle without steps: {item!r}.")
        new = (nested or previous_nested) and bool(cycles)
        cycle = (cycles[-1] if cycles else 0) + new
        for j, one in enumerate(within):
            at = f"{where}, step {j + 1}" if nested else where
            read.append(_read_step("" if len(items) == 1 else f"{at}: ", one, known))
            cycles.append(cycle)
        previous_nested = nested
    return read, cycles


def _read_step(where: str, item: Any, known: dict[str, Step]) -> Step:
    if isinstance(item, Step):
        return item
    if not isinstance(item, str):
        hint = " Cycles cannot hold cycles." if isinstance(item, list | tuple) else ""
        raise ValueError(
            f"{where}{shortened(item)} ({type(item).__name__}) is not a step; give a "
            f"text such as 'Rest for 1 hour', or a `Step`.{hint}"
        )
    if item not in known:
        try:
            known[item] = parse_step(item)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from None
    return known[item]


def whole_cycles(cycles: Any, n_steps: int) -> int:
    """The number of repetitions as an integer.

    Raises:
        ValueError: if it is not a whole number of at least 1, or gives too many rows.
    """
    try:
        n = int(round(cycles))
        if n != cycles or isinstance(cycles, bool | np.bool_):
            raise TypeError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"cycles = {shortened(cycles)}: expected a whole number of at least 1."
        ) from None
    if n < 1 or not n_steps:
        raise ValueError(
            f"A protocol needs at least one step and one cycle, got {n_steps} "
            f"step(s) and {n} cycle(s)."
        )
    if n * n_steps > MOST_ROWS:
        raise ValueError(
            f"cycles = {shortened(cycles)} of {n_steps} step(s) are more than {MOST_ROWS} "
            "rows. Simulate fewer cycles."
        )
    return n
