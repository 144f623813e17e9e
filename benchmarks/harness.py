"""What all benchmarks share: errors, timings, and results with their circumstances."""

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

import naion as na

RESULTS = Path(__file__).parent / "results"
FAST = os.environ.get("NAION_FAST") == "1"
"""Smaller studies, to see that the scripts run."""


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


def seconds(run: Callable[[], object], repeats: int = 15) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of steady run times [s]."""
    jax.block_until_ready(run())
    times = []
    for _ in range(3 if FAST else repeats):
        began = time.perf_counter()
        jax.block_until_ready(run())
        times.append(time.perf_counter() - began)
    low, middle, high = np.percentile(times, [25, 50, 75])
    return float(low), float(middle), float(high)


def write(name: str, title: str, header: list[str], rows: list[list[str]], notes: str):
    """Write a Markdown table and JSON lines below `results/`, and print the table."""
    where = f"{platform.machine()}, {os.cpu_count()} CPUs, {jax.devices()[0]}"
    versions = f"naion {na.__version__}, jax {jax.__version__}, float64"
    lines = [f"# {title}", "", notes, "", f"{where}; {versions}.", ""]
    table = [header, ["---"] * len(header), *rows]
    lines += ["| " + " | ".join(r) + " |" for r in table]
    text = "\n".join(lines) + "\n"
    print(text)
    if FAST:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    facts = {"where": where, "versions": versions}
    with (RESULTS / f"{name}.jsonl").open("w", encoding="utf-8") as f:
        for row in rows:
            entry = dict(zip(header, row, strict=True)) | facts
            f.write(json.dumps(entry) + "\n")


def median_text(values: tuple[float, float, float]) -> str:
    """Median with quartiles, in milliseconds."""
    low, middle, high = (1e3 * v for v in values)
    return f"{middle:.1f} ({low:.1f}-{high:.1f})"


__all__ = ["FAST", "median_text", "seconds", "voltage_error", "write"]
