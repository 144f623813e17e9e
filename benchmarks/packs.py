"""What a pack costs over one cell: a 1C discharge of unlike cells, on one pinned core."""

import math

import equinox as eqx
import numpy as np

import naion as na
from benchmarks.harness import FAST, alternate, write
from naion.parameters import load

CASES = (
    ("nfm_hc_18650", "the set's own", None),
    ("nvpf_hc_chayambuka2022", "4/2/4, 26 shells", na.Mesh(4, 2, 4, 26)),
)
COUNTS = (4, 20) if FAST else (10, 100)


def main() -> None:
    """Time packs of different sizes in turn with one cell."""
    rows = []
    for name, mesh, grid in CASES:
        cell, model = load(name), na.DFN(grid)
        rng = np.random.default_rng(0)
        cells = [_varied(cell, rng) for _ in range(max(COUNTS))]
        n = int(np.sqrt(max(COUNTS)))
        packs = {f"{k} in series": na.pack.build([cells[:k]]) for k in COUNTS}
        groups = [cells[i * n : (i + 1) * n] for i in range(n)]
        packs[f"{n} groups of {n}"] = na.pack.build([groups])

        def alone(cell=cell, model=model):
            return na.simulate(cell, "Discharge at 1C", model=model, throw=False)

        def together(p, model=model):
            return na.pack.simulate(p, "Discharge at 1C", model=model, throw=False)

        solves = [lambda p=p: together(p).whole.final for p in packs.values()]
        times = alternate(lambda: alone().final, *solves)
        of_packs = [together(p) for p in packs.values()]
        done = [alone(), *(s.whole for s in of_packs)]
        worst = ["", *map(_kept, of_packs)]
        labels = ["one cell", *packs]
        for label, own, s, kept in zip(labels, times, done, worst, strict=True):
            steps = f"{int(s.n_steps)} + {int(s.n_rejected)}"
            attempts = int(s.n_steps) + int(s.n_rejected)
            each = 1e6 * own.median / attempts / _cells(label)
            ratio = own.over(times[0])
            rows.append(
                [name, mesh, label, str(own), ratio, steps, f"{each:.0f}", kept]
            )
    write(
        "packs",
        "What a pack costs over one cell",
        [
            "set",
            "mesh",
            "pack",
            "ms, median (quartiles)",
            "over one",
            "steps",
            "us an attempt and cell",
            "KCL [A]",
        ],
        rows,
        "1C at 25 degC until the first cell is empty, rtol 5e-4 for every cell; areas "
        "spread by 1 %, diffusivities by 10 %. Accepted + rejected steps; largest error of "
        "the sum of currents.",
    )


def _varied(cell, rng):
    area = cell.area * (1.0 + 0.01 * rng.standard_normal())
    D = cell.negative.particle.diffusivity.scale * np.exp(0.1 * rng.standard_normal())
    return eqx.tree_at(
        lambda c: (c.area, c.negative.particle.diffusivity.scale), cell, (area, D)
    )


def _cells(label: str) -> int:
    """How many a pack's name says: "one cell", "100 in series", "10 groups of 10"."""
    counts = [int(word) for word in label.split() if word.isdecimal()]
    return math.prod(counts)


def _kept(s) -> str:
    """Every group has the current of the pack."""
    current = np.asarray(s.cells("current"))
    I = np.asarray(s.whole.current)
    groups = round(current.sum(axis=1)[0] / float(I[0]))
    per = current.reshape(len(current), groups, -1).sum(axis=2)
    return f"{np.abs(per - I[:, None]).max():.1e}"
