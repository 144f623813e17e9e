"""Do fits end alike from starts that only rounding tells apart?

The NVPF cell's fits, from their start and from it moved by 1e-9 and 1e-3 of the priors'
widths; with corrections of the open-circuit potentials as monotone cubics and as what
ships, linear in their values; at a loose and at the shipped tolerance of simulations,
without the second search at a finer one that `fleet` adds.
"""

from dataclasses import replace
from typing import Any

import equinox as eqx
import numpy as np

from benchmarks.harness import FAST, write
from naion.demo._not_fitted import nvpf_without
from naion.demo._nvpf import RTOL, nvpf_problem
from naion.fit import Fit, Problem
from naion.fit._searched import searched

MOVES = (0.0, 1e-9) if FAST else (0.0, 1e-9, 1e-3)
LOOSE = 2e-4


def with_corrections(problem: Problem, interpolation: str) -> Problem:
    """The same with another interpolation of both corrections."""

    def tables(s: Any) -> list[Any]:
        sides = s.cell.negative, s.cell.positive
        return [side.particle.ocp.curve.correction for side in sides]

    changed = [
        replace(table, interpolation=interpolation)
        for table in tables(problem.specimen)
    ]
    return replace(problem, specimen=eqx.tree_at(tables, problem.specimen, changed))


def costs(problem: Problem) -> list[float]:
    """Where the searches from all starts end."""
    rng = np.random.default_rng(0)
    starts = {
        f"{size:g}": problem.start
        + size * problem.vector.scales * rng.standard_normal(problem.start.shape)
        for size in MOVES
    }
    found = searched(
        dict.fromkeys(starts, problem),
        starts,
        len(starts),
        100,
        5e-4,
        lambda name, fit: None,
        None,
        lambda line: None,
    )
    return [f.cost if isinstance(f, Fit) else np.inf for f in found.values()]


def main() -> None:
    """Fit, and write the table."""
    rows = []
    problems = {"0.5, 1 A/m2": nvpf_without(), "0.5, 1, 12 A/m2": nvpf_problem()}
    for name, problem in problems.items():
        for kind in ("pchip", "parabolic"):
            for rtol in (LOOSE, RTOL):
                own = replace(with_corrections(problem, kind), rtol=rtol)
                ends = costs(own)
                rows.append([name, kind, f"{rtol:g}", *(f"{c:.1f}" for c in ends)])
                print(*rows[-1], flush=True)
    moved = [f"cost, start moved by {size:g}" for size in MOVES]
    write(
        "alike",
        "Fits from starts that are almost the same",
        ["rates fitted", "corrections", "rtol", *moved],
        rows,
        "Moves in units of the priors' widths. No second search at a finer tolerance.",
    )
