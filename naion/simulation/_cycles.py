"""Capacities, energies and efficiencies of every cycle, from the steps of the solver."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..systems import Output

if TYPE_CHECKING:
    import pandas as pd

    from ..solvers import Record


class Cycles(NamedTuple):
    """Sums and extremes of n cycles; each array has one entry for each cycle.

    Attributes:
        number: number of the cycle.
        out, into: charge discharged and charged [C].
        given, taken: energy discharged and charged [J].
        after: sum over the discharge of each bit of charge times the charge that was
            charged before it in the cycle [C2]. It tells which of both came first.
        least_voltage, greatest_voltage: extremes of the voltage [V].
        warmest: highest temperature [K].
        least_margin: lowest plating margin [V].
        duration: duration [s].
    """

    number: np.ndarray
    out: np.ndarray
    into: np.ndarray
    given: np.ndarray
    taken: np.ndarray
    after: np.ndarray
    least_voltage: np.ndarray
    greatest_voltage: np.ndarray
    warmest: np.ndarray
    least_margin: np.ndarray
    duration: np.ndarray

    @property
    def discharge_first(self) -> np.ndarray:
        """Whether most of the discharge comes before the charge, (n,)."""
        # At rest, rounding makes tiny charges flow, which do not count.
        no_charge = self.into <= 1e-9 * self.out
        return no_charge | (self.after <= 0.5 * self.out * self.into)


def cycles_of(record: "Record", n_steps: int, cycle: np.ndarray) -> Cycles:
    """Sums and extremes of the cycles in a record.

    Args:
        record: record of a solve.
        n_steps: number of its rows that hold a step.
        cycle: number of the cycle of every row of the protocol, (n_segment,).
    """
    start, end = (
        np.asarray(record.outputs[:n_steps, k, : len(Output)]) for k in (0, 1)
    )
    of = np.asarray(cycle)[np.asarray(record.segment[:n_steps])]
    number, first = np.unique(of, return_index=True)
    moved = end - start
    out = np.maximum(moved[:, Output.CHARGE], 0.0)
    into = np.maximum(-moved[:, Output.CHARGE], 0.0)
    energy = moved[:, Output.ENERGY]

    def total(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, first) if n_steps else np.zeros(0)

    def least(output: Output) -> np.ndarray:
        values = np.minimum(start[:, output], end[:, output])
        return np.minimum.reduceat(values, first) if n_steps else np.zeros(0)

    def greatest(output: Output) -> np.ndarray:
        values = np.maximum(start[:, output], end[:, output])
        return np.maximum.reduceat(values, first) if n_steps else np.zeros(0)

    before = np.cumsum(into) - into
    at_start = np.repeat(before[first], np.diff(np.append(first, n_steps)))
    return Cycles(
        number=number,
        out=total(out),
        into=total(into),
        given=total(np.where(out > 0.0, energy, 0.0)),
        taken=total(np.where(out > 0.0, 0.0, -energy)),
        after=total(out * (before - at_start)),
        least_voltage=least(Output.VOLTAGE),
        greatest_voltage=greatest(Output.VOLTAGE),
        warmest=greatest(Output.TEMPERATURE),
        least_margin=least(Output.PLATING_MARGIN),
        duration=total(np.asarray(record.h[:n_steps])),
    )


def joined(a: Cycles, b: Cycles) -> Cycles:
    """Cycles of a solve from those of two parts of it, one after the other."""
    if not len(a.number) or not len(b.number) or a.number[-1] != b.number[0]:
        return Cycles(*(np.concatenate(pair) for pair in zip(a, b, strict=True)))
    # A cycle that is cut by the end of the first part is summed over both.
    last, next_ = (Cycles(*(x[at] for x in c)) for c, at in ((a, -1), (b, 0)))
    sums = {
        f: getattr(last, f) + getattr(next_, f)
        for f in ("out", "into", "given", "taken", "duration")
    }
    met = last._replace(
        **sums,
        after=last.after + next_.after + last.into * next_.out,
        least_voltage=min(last.least_voltage, next_.least_voltage),
        greatest_voltage=max(last.greatest_voltage, next_.greatest_voltage),
        warmest=max(last.warmest, next_.warmest),
        least_margin=min(last.least_margin, next_.least_margin),
    )
    rows = zip(a, met, b, strict=True)
    return Cycles(*(np.concatenate([x[:-1], [m], y[1:]]) for x, m, y in rows))


def table(c: Cycles) -> "pd.DataFrame":
    """One row a cycle; see `Solution.cycles`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "Cycle": c.number.astype(int),
            "Discharge capacity [A.h]": c.out / 3600.0,
            "Charge capacity [A.h]": c.into / 3600.0,
            "Discharge energy [W.h]": c.given / 3600.0,
            "Charge energy [W.h]": c.taken / 3600.0,
            "Coulombic efficiency": efficiencies(c.out, c.into, c.discharge_first),
            "Energy efficiency": efficiencies(c.given, c.taken, c.discharge_first),
            "Minimum voltage [V]": c.least_voltage,
            "Maximum voltage [V]": c.greatest_voltage,
            "Maximum temperature [K]": c.warmest,
            "Lowest plating margin [V]": c.least_margin,
            "Duration [h]": c.duration / 3600.0,
        }
    ).set_index("Cycle")


def efficiencies(
    out: np.ndarray, taken: np.ndarray, discharge_first: np.ndarray
) -> np.ndarray:
    """Discharge of each cycle over the charge before it.

    Where a cycle begins with its discharge, the charge before it is that of the cycle
    before. The ratio to the charge that follows would hide what is lost from cycle to
    cycle.

    Args:
        out: charge or energy discharged in each cycle, (n,).
        taken: charge or energy charged, in the same unit, (n,).
        discharge_first: whether most of a cycle's discharge came before its charge, (n,).

    Returns:
        efficiencies; NaN where there was no charge before, or no discharge, (n,).
    """
    if not len(out):
        return np.zeros(0)
    before = np.where(discharge_first, np.append(0.0, taken[:-1]), taken)
    nothing = 1e-9 * max(np.max(out), np.max(taken))
    there = (out > nothing) & (before > nothing)
    return np.where(there, out / np.where(there, before, 1.0), np.nan)
