"""What all benchmarks share: errors, fair timings, and results with their circumstances."""

import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np

import naion as na
from naion_kernels import lanes

RESULTS = Path(__file__).parent / "results"
FAST = os.environ.get("NAION_FAST") == "1"
"""Smaller studies, to see that the scripts run."""


def cores() -> int:
    """How many this process may use; `python -m benchmarks` pins it."""
    return len(os.sched_getaffinity(0))


def rmse(x, reference, last: float) -> tuple[float, float]:
    """RMSE and largest difference [mV] of two curves.

    Args:
        x: abscissa and voltage, each (n,).
        reference: the same, converged.
        last: where comparison ends; 200 equal steps from zero to there.
    """
    grid = np.linspace(0.0, last, 200)
    error = 1e3 * (np.interp(grid, *x) - np.interp(grid, *reference))
    return float(np.sqrt(np.mean(error**2))), float(np.max(np.abs(error)))


def voltage_error(solution, reference) -> tuple[float, float, float]:
    """RMSE and largest error of the voltage [mV] and capacity error [%].

    On 200 equal steps of charge over the first 98 % of the reference's charge.
    """
    Q = float(reference.capacity)
    q = np.linspace(0.0, 0.98 * Q, 200)
    error = np.asarray(solution.voltage_at_charge(q) - reference.voltage_at_charge(q))
    error = 1e3 * error
    capacity = 100.0 * (float(solution.capacity) / Q - 1.0)
    return float(np.sqrt(np.mean(error**2))), float(np.max(np.abs(error))), capacity


class Times:
    """Repeated wall times of one thing [s]."""

    def __init__(self, values: Sequence[float]):
        self.values = np.asarray(values)

    @property
    def median(self) -> float:
        return float(np.median(self.values))

    def over(self, other: "Times") -> str:
        """Median (quartiles) of the ratio, pair by pair."""
        low, middle, high = np.percentile(self.values / other.values, [25, 50, 75])
        return f"{middle:.1f} ({low:.1f}-{high:.1f})"

    def __str__(self) -> str:
        """Median (quartiles) in milliseconds."""
        low, middle, high = 1e3 * np.percentile(self.values, [25, 50, 75])
        digits = 2 if middle < 10.0 else 1 if middle < 1000.0 else 0
        return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def alternate(*runs: Callable[[], object], repeats: int = 15) -> list[Times]:
    """Time several things in turn, so that a drifting machine is fair to all."""
    for run in runs:
        jax.block_until_ready(run())
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(3 if FAST else repeats):
        for run, own in zip(runs, times, strict=True):
            began = time.perf_counter()
            jax.block_until_ready(run())
            own.append(time.perf_counter() - began)
    return [Times(own) for own in times]


def write(
    name: str,
    title: str,
    header: list[str],
    rows: list[list[str]],
    notes: str,
    last: str | None = None,
) -> None:
    """Write a Markdown table and JSON lines below `results/`, and print the table.

    Both carry date, commit, machine and versions.

    `last` becomes the last line of the table's page.
    """
    lines = [f"# {title}", "", notes, "", circumstances(), ""]
    table = [header, ["---"] * len(header), *rows]
    lines += ["| " + " | ".join(r) + " |" for r in table]
    lines += [] if last is None else ["", last]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    if FAST:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    facts = {**_facts(), "notes": notes}
    with (RESULTS / f"{name}.jsonl").open("w", encoding="utf-8") as f:
        for row in rows:
            entry = dict(zip(header, row, strict=True)) | facts
            f.write(json.dumps(entry) + "\n")


def circumstances() -> str:
    """Date, commit, machine and versions, as a sentence."""
    facts = _facts()
    return (
        f"{facts['date']}, commit {facts['commit']}; {facts['machine']}; "
        f"{facts['versions']}."
    )


def _facts() -> dict[str, str]:
    device = jax.devices()[0]
    kernels = "native kernels" if lanes.enabled() else "plain JAX"
    versions = f"naion {na.__version__}, jax {jax.__version__}, float64, {kernels}"
    machine = f"{_processor()}, {cores()} core(s), {device.platform}"
    if device.platform != "cpu":
        machine += f" {device.device_kind}"
    return {
        "date": datetime.date.today().isoformat(),
        "commit": _commit(),
        "machine": machine,
        "versions": versions + _opponent_version(),
    }


def _commit() -> str:
    """Of the code that ran, and whether it was changed since."""
    here = "git", "-C", str(Path(__file__).parent)
    code = ":/naion", ":/kernels", ":/benchmarks", ":!/benchmarks/results"
    try:
        commit, changes = (
            subprocess.run(
                [*here, *words], check=True, capture_output=True, text=True
            ).stdout.strip()
            for words in (
                ("rev-parse", "--short=12", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no", "--", *code),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}, with changes" if changes else commit


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return f"{platform.machine()} {line.split(':')[1].strip()}"
    return platform.machine()


def _opponent_version() -> str:
    pybamm = sys.modules.get("pybamm")
    return f"; PyBaMM {pybamm.__version__}" if pybamm else ""
