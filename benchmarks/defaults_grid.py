"""Do ordinary runs end as they should, with every option left at its default?

Every shipped set from C/20 to 6C, both ways, at five temperatures where it has laws for
them, and potentiostatic holds from every state to voltages within the limits. A numerical
failure is a fault. Physical ends are repeated at a hundredth of the tolerance and on a mesh
that is twice as fine: they must be the same.
"""

import itertools
import time
import warnings
from collections import Counter
from typing import NamedTuple

import naion as na
from naion.parameters import Cell, available, load
from naion.simulation.driver import DEFAULT_RTOL

from .harness import FAST, write

RATES = ("C/20", "C/5", "C/2", "1C", "2C", "3C", "4C", "6C")
CELSIUS = (-20.0, 0.0, 25.0, 45.0, 55.0)
STATES = (0.0, 0.05, 0.2, 0.5, 0.8, 1.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the voltage window, to which cells are held."""

FINER = na.Mesh(28, 8, 32, 60)

SAME = 0.02
"""Charge over nominal by which a run with the same end may differ: an end by a depleted
surface or salt hangs on the mesh."""


class Case(NamedTuple):
    """A run at the defaults, but for what it is about."""

    name: str
    step: str
    start: float
    celsius: float

    def run(self, cell: Cell, **options) -> na.Solution:
        return na.simulate(
            cell,
            self.step,
            start=self.start,
            temperature=self.celsius + 273.15,
            throw=False,
            keep="end",
            **options,
        )


def has_laws(cell: Cell) -> bool:
    """Whether anything that decides on currents changes with temperature."""
    return not na.parameters.cautions(cell, *[float(cell.temperature) + 20.0] * 2)


def cases(name: str, cell: Cell) -> list[Case]:
    """Those of one set."""
    limits = cell.limits
    low, high = float(limits.lower_voltage), float(limits.upper_voltage)
    warm = float(cell.temperature) - 273.15
    temperatures = CELSIUS if has_laws(cell) else (warm,)
    found = []
    for rate, T in itertools.product(RATES, temperatures):
        found += [
            Case(name, f"Discharge at {rate} until {low} V", 1.0, T),
            Case(name, f"Charge at {rate} until {high} V", 0.0, T),
        ]
    for soc, share in itertools.product(STATES, SHARES):
        V = low + share * (high - low)
        step = f"Hold at {V:.4f} V for 2 hours or until C/20"
        found.append(Case(name, step, soc, warm))
    return found


def disagreement(case: Case, cell: Cell, done: na.Solution, **options) -> str | None:
    """How a run of a physical end differs when it is computed more finely."""
    again = case.run(cell, **options)
    off = abs(float(again.capacity - done.capacity)) / float(cell.nominal_capacity)
    if again.result is done.result and off < SAME:
        return None
    return f"{again.result.name}, {100 * off:.2g} % of the charge"


def main() -> None:
    """Run everything and write the table."""
    warnings.simplefilter("ignore", na.Caution)
    counts: Counter[str] = Counter()
    rows, faults, repeated = [], [], 0
    for name in available():
        cell, began = load(name), time.perf_counter()
        own: Counter[str] = Counter()
        steps = 0
        every = cases(name, cell)
        for case in every[::9] if FAST else every:
            done = case.run(cell)
            own[done.result.name.lower()] += 1
            steps = max(steps, int(done.n_steps))
            where = (
                f"{name}, {case.step}, from SOC {case.start:g}, {case.celsius:g} degC"
            )
            if not done.result.is_physical:
                faults.append(f"{where}: {done.result.name}")
            elif not done.result.is_success:
                repeated += 1
                for what, options in (
                    ("a hundredth of the tolerance", {"rtol": DEFAULT_RTOL / 100.0}),
                    ("twice the mesh", {"model": na.DFN(FINER)}),
                ):
                    differs = disagreement(case, cell, done, **options)
                    if differs is not None:
                        faults.append(
                            f"{where}: {done.result.name}, but with {what} {differs}"
                        )
        counts.update(own)
        taken = time.perf_counter() - began
        ends = ", ".join(f"{n} {k}" for k, n in sorted(own.items()))
        rows.append([name, str(sum(own.values())), ends, str(steps), f"{taken:.0f}"])
        print(rows[-1], flush=True)
    listed = "".join(f"\n- {line}" for line in faults)
    write(
        "defaults_grid",
        "Defaults: does every ordinary run end, and why",
        ["set", "runs", "ends", "most steps of one", "s"],
        rows,
        f"{' '.join((__doc__ or '').split())}\n\nAll {sum(counts.values())} runs: "
        f"{', '.join(f'{n} {k}' for k, n in counts.most_common())}. {repeated} physical "
        f"ends were repeated. Seconds with compiling.{listed}",
        last=f"faults: {len(faults)}",
    )
