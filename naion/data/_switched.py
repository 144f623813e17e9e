"""Rows that a cycler wrote at the beginning of a step, before it switched the current."""

from collections.abc import Mapping

import numpy as np

STILL = 1e-3
"""Below this share of the largest current, none flows."""


def flows_of(current: np.ndarray) -> np.ndarray:
    """Whether a current flows in each row, (n,)."""
    return np.abs(current) > STILL * float(np.max(np.abs(current), initial=0.0))


def switched_late(table: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows without current with which the file lets steps begin in which a current flows.

    The current flows from their time on. Without a count of steps in the file none are
    known.

    Args:
        table: as of `naion.io.read_data`.

    Returns:
        indices of rows, increasing.
    """
    if "step" not in table:
        return np.array([], int)
    flows = flows_of(table["current_A"])
    new = np.diff(table["step"]) != 0
    if "cycle" in table:
        new |= np.diff(table["cycle"]) != 0
    # Of a single row it is not known that the current behind it is of its step.
    goes_on = np.append(flows[1:] & ~new, False)
    return np.flatnonzero(np.append(True, new) & ~flows & goes_on)


def flowing(table: Mapping[str, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
    """Rows of a record in which the current of a step flows from its first row on.

    A row of `switched_late` gets the current of the row behind it. Where it comes from a
    rest within `rows` it stands twice, without and with the current, which is a jump; where
    it is right before `rows`, they begin with it.

    Args:
        table: as of `naion.io.read_data`.
        rows: of it.
    """
    current = table["current_A"]
    flows, late = flows_of(current), switched_late(table)
    begin, end, _ = rows.indices(len(current))
    if begin - 1 in late:
        begin -= 1
    index = np.arange(begin, end)
    on = np.isin(index, late)
    twice = late[(late > begin) & (late < end)]
    twice = twice[~flows[twice - 1]]
    index = np.insert(index, twice - begin, twice)
    on = np.insert(on, twice - begin, False)
    taken = {name: column[index] for name, column in table.items()}
    behind = current[np.minimum(index + 1, len(current) - 1)]
    taken["current_A"] = np.where(on, behind, current[index])
    return taken


def charge_between(table: Mapping[str, np.ndarray]) -> np.ndarray:
    """Charge that flows from each row to the next, positive on discharge, (n - 1,) [A.s].

    Args:
        table: as of `naion.io.read_data`.
    """
    current, late = table["current_A"], switched_late(table)
    begin, end = current.copy(), current.copy()
    begin[late] = current[late + 1]
    inner = late[late > 0]
    end[inner] = np.where(flows_of(current)[inner - 1], current[inner - 1], 0.0)
    return 0.5 * (begin[:-1] + end[1:]) * np.diff(table["time_s"])
