"""Exports in layers: rows of cycles, of steps and of records below each other, each layer
one column further to the right, with a header for each (Neware BTS 7)."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ._formats import parts

STATES = re.compile(r"step (name|type|state)|state|status|工步(类型|名称)")
"""Plain names of what a step does."""


class Layers(NamedTuple):
    """The records of an export in layers.

    Attributes:
        header: labels of records, in front of them those that count the upper layers,
            behind them what the steps do.
        rows: cells of each record.
        at: where each record is among the rows that were given.
    """

    header: list[str]
    rows: list[list[Any]]
    at: list[int]


def depth(header: Sequence[Any]) -> int:
    """How many layers are above the rows of a header: its empty first cells."""
    return next((i for i, cell in enumerate(header) if not is_blank(cell)), 0)


def is_layered(above: Sequence[Sequence[Any]], header: Sequence[Any]) -> bool:
    """Whether a header is the lowest of several, each one column further to the right.

    Args:
        above: rows above the header, the nearest last.
        header: of the records.
    """
    n = depth(header)
    return 0 < n <= len(above) and all(
        depth(row) == i and not is_blank(row[i])
        for i, row in enumerate(above[len(above) - n :])
    )


def flattened(
    above: Sequence[Sequence[Any]],
    header: Sequence[Any],
    rows: Iterable[Sequence[Any]],
) -> Layers:
    """The records below a header, each with its cycle and its step.

    Args:
        above, header: for which `is_layered`.
        rows: below the header.
    """
    n = depth(header)
    upper = above[len(above) - n :]
    states = [
        i
        for i, label in enumerate(upper[-1])
        if STATES.fullmatch(parts(str(label).strip())[0])
    ][:1]
    labels = [str(row[i]).strip() for i, row in enumerate(upper)]
    labels += ["" if is_blank(c) else str(c).strip() for c in header[n:]]
    width = len(labels)
    labels += [str(upper[-1][i]).strip() for i in states]
    counted: list[Any] = [""] * n
    doing: list[Any] = [""] * len(states)
    found, at = [], []
    for k, row in enumerate(rows):
        level = depth(row)
        if not len(row) or is_blank(row[level]):
            continue
        if level < n:
            counted[level] = row[level]
            if level == n - 1:
                doing = [row[i] if i < len(row) else "" for i in states]
            continue
        cells = list(row[n:width])
        found.append([*counted, *cells, *[""] * (width - n - len(cells)), *doing])
        at.append(k)
    return Layers(labels, found, at)


def is_blank(cell: Any) -> bool:
    """Whether a cell holds nothing."""
    return cell is None or cell != cell or not str(cell).strip()
