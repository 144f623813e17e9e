"""How long does a cell last: does the law predict rows, do jumps meet the full run?

Losses of the rows by the empirical law, by the DFN that ages by film and wear, and by
counting full cycles (naive); then 3000 cycles by jumps beside all of them simulated.
Processor time, after one run that compiles. Full run of a film alone: all cycles in one
simulation; of film and wear: a block of three cycles every ten.
"""

import time

import numpy as np

import naion as na
from naion import life

from .harness import FAST, RESULTS, write

CYCLE = (
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.0 V",
    "Hold at 4.0 V until C/20",
)
CYCLES = 100 if FAST else 3000
MODEL = na.DFN(na.Mesh(4, 2, 4, 12))


def timed(run):
    """What a second run gives, and its processor time [s]."""
    run()
    began = time.process_time()
    found = run()
    return found, time.process_time() - began


def table_of_rows(cell: na.parameters.Cell) -> tuple[list[list[str]], str]:
    """Losses of all rows, and what the calibration of the DFN came to."""
    made, aged = life.fit_law(), None
    other = life.fit_law(0.8)
    try:
        c = life.calibrate(cell, model=MODEL)
        aged = c.cell
        text = (
            f"DFN calibrated on the three fitted rows: film {c.sei:.3g} mol/m2/s, wear "
            f"{c.wear:.3g}, energy {c.energy / 1e3:.1f} kJ/mol; largest misfit "
            f"{100 * c.residual:.2g} %, {c.evaluations} evaluations."
        )
    except ValueError as error:
        text = f"DFN not calibrated: {error}"
    rows = []
    for row in life.rows():
        by_dfn = "not calibrated"
        if aged is not None:
            left = life.aged_as(aged, row, model=MODEL).at(row.cycles)
            by_dfn = f"{100 * (1 - left):.2f}"
        by_law = [life.predicted(f.law, row) for f in (made, other)]
        rows.append(
            [
                row.name,
                row.use,
                f"{row.loss:.2f}",
                *(f"{x:.2f}" for x in by_law),
                by_dfn,
                f"{life.naive(row):.2f}",
                f"{row.disagreement:.2f}",
            ]
        )
    return rows, text


def table_of_jumps(cell: na.parameters.Cell) -> tuple[list[list[str]], tuple]:
    """Jumps beside full runs, and the curves of the first."""
    films = {
        "film in proportion to time": life.with_ageing(cell, wear=0.0),
        "film that slows (solvent diffusion)": na.parameters.with_sei(cell),
        "film and wear": life.with_ageing(cell),
    }
    rows, curves = [], ()
    for name, made in films.items():
        jumped, short = timed(lambda c=made: life.cycle(c, CYCLE, CYCLES, model=MODEL))
        if name == "film and wear":
            full, long = timed(
                lambda c=made: life.cycle(c, CYCLE, CYCLES, model=MODEL, longest=10)
            )
            capacity = full.capacity
        else:
            all_of_them = na.Protocol(CYCLE, cycles=CYCLES)
            began = time.process_time()
            s = na.simulate(made, all_of_them, model=MODEL, keep="cycles")
            long = time.process_time() - began
            capacity = s.cycles["Discharge capacity [A.h]"].to_numpy()
            if not curves:
                curves = (jumped, capacity)
        error = 100.0 * (jumped.capacity[-1] / capacity[-1] - 1.0)
        rows.append(
            [
                name,
                f"{100 * (1 - jumped.retention[-1]):.2f}",
                f"{error:+.4f}",
                str(jumped.simulated),
                f"{short:.2f}",
                f"{long:.2f}",
                f"{long / short:.0f}",
            ]
        )
    return rows, curves


def figure(curves: tuple) -> None:
    """Capacity by jumps on that of every cycle."""
    from matplotlib.figure import Figure

    jumped, capacity = curves
    canvas = Figure(figsize=(6.0, 3.4), layout="constrained")
    axes = canvas.add_subplot()
    n = np.arange(1, len(capacity) + 1)
    axes.plot(n, capacity, label=f"all {len(capacity)} cycles")
    axes.plot(
        jumped.cycle, jumped.capacity, "o", label=f"jumps, {jumped.simulated} simulated"
    )
    axes.set_xlabel("cycle")
    axes.set_ylabel("discharge capacity [A.h]")
    axes.legend()
    canvas.savefig(RESULTS / "life.svg")


def main() -> None:
    """Run everything and write the tables."""
    cell = na.load("nfm_hc_18650")
    rows, text = table_of_rows(cell)
    for row in rows:
        print(row, flush=True)
    jumps, curves = table_of_jumps(cell)
    if not FAST:
        figure(curves)
    lines = "\n".join("| " + " | ".join(row) + " |" for row in jumps)
    write(
        "life",
        "How long cells last",
        [
            "row",
            "use",
            "measured loss, %",
            "law, linear",
            "law, N^0.8",
            "DFN",
            "naive",
            "loss over cycles, over stated",
        ],
        rows,
        " ".join((__doc__ or "").split())
        + f" {text} Jumps over {CYCLES} cycles (busy cores):\n\n"
        "| ageing | loss, % | error of the capacity, % | cycles simulated | jumps, s "
        "| full, s | ratio |\n| --- | --- | --- | --- | --- | --- | --- |\n" + lines,
    )
