"""Cells per second on a GPU: discharges, their derivatives, and a fleet of fits.

In order: a smoke test, the kernels, batches of sodium and lithium cells, the fits. What is
measured is written at once, so that a run that is cut leaves what it has; nothing begins
that would not end in time. Times include transfers, and the voltages of the timed batch
itself are compared with the CPU's.

`--dry-run` does all of it on a CPU with small batches, and writes the kernels as for a GPU:
it shows that nothing but the launch can fail.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.cases import CASES, SODIUM, Case, drawn, factors, options
from benchmarks.harness import write
from naion.fit import FreeParameter, Problem, Specimen, discharge, fleet
from naion_kernels import lanes
from naion_kernels.lanes import _call
from naion_kernels.lanes._emit import emit
from naion_kernels.lanes._flatten import flatten

SIZES = (1, 64, 1024, 4096, 16384, 65536)
FITS = 10_000
CHECKED = 64
"""Cells whose voltages are compared with the CPU's."""

TOLERATED = 0.8
"""Largest RMSE between devices [mV]: they take the same steps, in other arithmetic."""

TIMES = np.linspace(0.0, 3300.0, 20)
"""At which voltages are returned [s]: within a 1C discharge."""

THREADS, REGISTERS, MOST_THREADS = 64, 65536, 2048
"""Of a block of a program; of a multiprocessor from compute capability 8.0 on."""

HEADER = [
    *("what", "cells", "s", "cells/s", "failures"),
    "largest RMSE from the CPU, mV",
]


@dataclass
class Run:
    """What is left of the time, and what was measured.

    Attributes:
        seconds: for all.
        dry: on a CPU, small.
    """

    seconds: float
    dry: bool
    began: float = field(default_factory=time.monotonic)
    rows: list[list[str]] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Time left [s]."""
        return self.seconds - (time.monotonic() - self.began)

    def add(self, *row: str) -> None:
        """Write a row, and all before it, at once."""
        self.rows.append([*row, *[""] * (len(HEADER) - len(row))])
        device = jax.devices()[0]
        write(
            "gpu_dry_run" if self.dry else "gpu",
            f"Batches on a {'CPU, a dry run' if self.dry else device.device_kind}",
            HEADER,
            self.rows,
            "1C discharges, float64, settings as in discharge.md, tuned; parameters drawn "
            "as in batch.md. A batch is one kernel, one thread a cell. Seconds are the "
            "least of the repetitions, with transfers from and to NumPy. "
            + " ".join(self.facts),
        )


def lane(case: Case) -> Callable[[Any], tuple[jax.Array, jax.Array]]:
    """Voltages at `TIMES` and outcome of a cell with drawn factors."""
    cell, given = case.cell(), options(case.naion)
    protocol = na.Protocol(f"Discharge at 1C until {case.lower} V")

    def one(k):
        done = na.simulate(drawn(cell, k), protocol, **given)
        V = done.at(jnp.asarray(TIMES)).voltage
        # After its end a cell has no voltage; what it had then has a derivative.
        return jnp.where(jnp.isfinite(V), V, done.end.voltage), done.outcome

    return one


def programs(case: Case) -> dict[str, Callable]:
    """Forward, gradient of a sum, and Jacobian, each of a batch, with the voltages."""
    one = lane(case)

    def gradient(k):
        def total(k):
            V, outcome = one(k)
            return jnp.sum(V), (V, outcome)

        (_, (V, outcome)), slope = jax.value_and_grad(total, has_aux=True)(k)
        return V, outcome, slope

    def jacobian(k):
        def twice(k):
            V, outcome = one(k)
            return V, (V, outcome)

        slopes, (V, outcome) = jax.jacfwd(twice, has_aux=True)(k)
        return V, outcome, slopes

    each = {"forward": one, "gradient": gradient, "Jacobian": jacobian}
    return {name: jax.jit(jax.vmap(f)) for name, f in each.items()}


def on_cpu(case: Case) -> np.ndarray:
    """Voltages of the cells that are compared, (CHECKED, times)."""
    with jax.default_device(jax.devices("cpu")[0]):
        return np.asarray(jax.jit(jax.vmap(lane(case)))(factors(CHECKED))[0])


def measured(
    run: Run, name: str, program: Callable, size: int, expected: np.ndarray
) -> float:
    """Add a row; returns the seconds of a call."""
    draws = factors(size)

    def whole():
        began = time.perf_counter()
        found = jax.tree.map(np.asarray, program(draws))
        return time.perf_counter() - began, found

    whole()  # compiled
    repeats = 1 if run.dry else 3
    seconds, found = min((whole() for _ in range(repeats)), key=lambda pair: pair[0])
    V, outcome = found[:2]
    # Draws of a larger batch begin with those of a smaller one.
    n = min(size, CHECKED)
    error = 1e3 * np.sqrt(np.mean((V[:n] - expected[:n]) ** 2, axis=1)).max()
    failed = sum(not na.Result(int(o)).is_physical for o in outcome)
    run.add(
        *(name, str(size), f"{seconds:.3g}", f"{size / seconds:.0f}", str(failed)),
        f"{error:.1e}" + ("" if error <= TOLERATED else f": more than {TOLERATED:g}"),
    )
    return seconds


def smoke(run: Run) -> None:
    """Eight cells: seconds to the first answer, or the reason why there is none."""
    began = time.perf_counter()
    lanes.compiler()
    _call.make_small_program()
    expected = on_cpu(SODIUM)
    program = programs(SODIUM)["forward"]
    measured(run, "smoke test, sodium", program, 8, expected)
    run.facts.append(f"Smoke test {time.perf_counter() - began:.0f} s.")


def batches(run: Run) -> None:
    """All sizes of both cells, the small ones of all first."""
    sizes = SIZES[:2] if run.dry else SIZES
    checked = {case.name: on_cpu(case) for case in CASES}
    every = {case.name: programs(case) for case in CASES}
    last: dict[tuple[str, str], float] = {}
    for size in sizes:
        for cell, of_cell in every.items():
            for what, program in of_cell.items():
                # Four repetitions; a batch takes at most as much longer as it is larger.
                expected = 16.0 * last.get((cell, what), 5.0)
                name = f"{what}, {cell}"
                if run.left < expected:
                    run.add(name, str(size), "no time left")
                    continue
                try:
                    seconds = measured(run, name, program, size, checked[cell])
                except jax.errors.JaxRuntimeError as error:
                    run.add(name, str(size), str(error).split("\n")[0][:80])
                    continue
                last[cell, what] = seconds


def fits(run: Run) -> None:
    """A fleet of made-up cells, a discharge and three numbers each."""
    count = 8 if run.dry else FITS
    if run.left < 60.0:
        run.add("fleet of fits", str(count), "no time left")
        return
    cell, draws = SODIUM.cell(), factors(count)
    V, _ = jax.tree.map(np.asarray, jax.jit(jax.vmap(lane(SODIUM)))(draws))
    V = V + 1e-3 * np.random.default_rng(0).standard_normal(V.shape)
    current, model = float(cell.nominal_capacity), na.DFN(SODIUM.naion.mesh)
    q = current * TIMES / 3600.0
    free = tuple(
        FreeParameter((f"cell.{path}",), (0.1, 10.0), "log")
        for path in (
            "negative.particle.diffusivity.scale",
            "positive.particle.diffusivity.scale",
        )
    ) + (
        FreeParameter(("cell.area",), (0.5 * float(cell.area), 2.0 * float(cell.area))),
    )
    problems = {
        f"{k}": Problem(
            Specimen(cell, [0.0]),
            free,
            (discharge("1C", q, v, current, 298.15, sigma=1e-3, sigma_charge=0.0),),
            model,
        )
        for k, v in enumerate(V)
    }
    began = time.perf_counter()
    found = fleet(problems, at_once=count if run.dry else 4096)
    seconds = time.perf_counter() - began
    failed = sum(isinstance(f, Exception) or not f.converged for f in found.values())
    run.add(
        *("fleet of fits, sodium", str(count), f"{seconds:.3g}"),
        *(f"{count / seconds:.0f}", str(failed)),
    )


@contextmanager
def dumped() -> Iterator[Path]:
    """Sources of the programs that are made meanwhile."""
    before = os.environ.get("NAION_KERNELS_DUMP")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAION_KERNELS_DUMP"] = folder
        yield Path(folder)
    os.environ.pop("NAION_KERNELS_DUMP")
    if before is not None:
        os.environ["NAION_KERNELS_DUMP"] = before


def kernels(run: Run) -> None:
    """Workspace of a lane, registers, spills and resident threads of each program."""
    for what, program in programs(SODIUM).items():
        if run.dry:
            sources, libraries = cuda_sources(program), []
        else:
            with dumped() as folder:
                program.lower(factors(2)).compile()
                files = sorted(folder.glob("*.cu"), key=lambda f: f.stat().st_size)
                sources = [f.read_text() for f in files]
                libraries = [kernel_cache() / f"{f.stem}.so" for f in files[-1:]]
        own = max(map(workspace, sources), default=0)
        said = f"{what}: workspace {own / 1024:.0f} KiB a cell"
        for library in libraries:
            said += f", {usage(library)}"
        run.facts.append(f"{said}.")


def cuda_sources(program: Callable) -> list[str]:
    """The sources for a GPU, emitted on a CPU."""
    made = []
    usual = _call._on_cpu

    def spy(program, uniform, width):
        made.append(emit(flatten(program.traced), uniform, 1, "run_cuda.hpp"))
        return usual(program, uniform, width)

    _call._on_cpu = spy
    try:
        program.lower(factors(2)).compile()
    finally:
        _call._on_cpu = usual
    return made


def workspace(source: str) -> int:
    """Bytes of a lane, from the constant that the emitted program carries."""
    (text,) = re.findall(r"const long workspace_bytes = ([^;]+);", source)
    sizes = {
        "R": 8,
        "I": 8,
        "B": 1,
        "real": 8,
        "long": 8,
        "int": 4,
        "bool": 1,
        "char": 1,
    }
    text = re.sub(r"sizeof\((?:unsigned )?(\w+)\)", lambda m: str(sizes[m[1]]), text)
    return int(eval(text, {"__builtins__": {}}))  # sums and products of whole numbers


def kernel_cache() -> Path:
    """Where compiled libraries lie."""
    from naion_kernels.lanes import folder

    return folder()


def usage(library: Path) -> str:
    """Registers and spilled bytes, as cuobjdump says, and the threads that are resident."""
    tool = shutil.which("cuobjdump") or "/usr/local/cuda/bin/cuobjdump"
    try:
        said = subprocess.run(
            [tool, "-res-usage", str(library)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        return f"registers not known ({type(error).__name__})"
    found = re.findall(r"REG:(\d+) STACK:(\d+)", said)
    if not found:
        return "registers not known"
    registers, stack = max((int(r), int(s)) for r, s in found)
    blocks = REGISTERS // (THREADS * max(8, -(-registers // 8) * 8))
    share = min(1.0, blocks * THREADS / MOST_THREADS)
    return f"{registers} registers, stack {stack} bytes, occupancy {100 * share:.0f} %"


def bandwidth() -> float:
    """Of a copy in the device's memory [GB/s]."""
    numbers = jnp.zeros(2**27)
    copy = jax.jit(lambda a: a + 1.0)
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        jax.block_until_ready(copy(numbers))
        best = min(best, time.perf_counter() - began)
    return 2.0 * numbers.nbytes / best / 1e9


def main() -> int:
    """Measure; returns 1 where there is no GPU and no dry run was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=540.0, help="for all of it")
    parser.add_argument("--dry-run", action="store_true", help="on a CPU, small")
    given = parser.parse_args()
    if jax.default_backend() != "gpu" and not given.dry_run:
        print("no GPU here: `python -m benchmarks gpu --dry-run` shows that all but the "
              "launch works", file=sys.stderr)  # fmt: skip
        return 1
    run = Run(given.seconds, given.dry_run)
    smoke(run)
    if not run.dry:
        run.facts.append(f"Copies at {bandwidth():.0f} GB/s.")
    kernels(run)
    batches(run)
    fits(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
