"""What a sodium simulation costs against shells, volumes and cycles; and its memory.

Batches are in batch.md, parameters of a gradient in derivatives.md.
"""

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp

import naion as na
from benchmarks.cases import NAION_CONVERGED, SODIUM, Settings
from benchmarks.cases import options as options_of
from benchmarks.harness import FAST, alternate, voltage_error, write

CYCLE = [
    "Discharge at 1C until 2.0 V",
    "Charge at 1C until 4.2 V",
    "Hold at 4.2 V until C/20",
]
MEMORY = {
    "import only": "",
    "naion, one discharge": "energy(1.0)",
    "naion, gradient of one": "jax.grad(energy)(1.0)",
    "naion, batch of 512": "jax.jit(jax.vmap(energy))(jnp.linspace(0.9, 1.1, 512))",
    "naion, gradients of 512": (
        "jax.jit(jax.vmap(jax.grad(energy)))(jnp.linspace(0.9, 1.1, 512))"
    ),
    "PyBaMM, one discharge": "opponent_solves()",
}
"""What is run in a process of its own, by name."""


def discharge(settings: Settings, reference) -> list[str]:
    """Time and error of one discharge inside jit."""
    cell, given = SODIUM.cell(), options_of(settings)
    protocol = na.Protocol(CYCLE[0])
    run = jax.jit(lambda c: na.simulate(c, protocol, **given).energy)
    (times,) = alternate(lambda: run(cell), repeats=7)
    found = na.simulate(cell, protocol, max_steps=6000, **given)
    error, _, capacity = voltage_error(found, reference)
    steps = int(found.n_steps) + int(found.n_rejected)
    return [str(times), str(steps), f"{error:.2f} mV, {capacity:+.3f} %"]


def cycles(n: int) -> list[str]:
    """Time of n CC-CV cycles inside jit."""
    cell, given = SODIUM.cell(), options_of(SODIUM.naion)
    protocol = na.Protocol(CYCLE, cycles=n)
    run = jax.jit(lambda c: na.simulate(c, protocol, **given))
    (times,) = alternate(lambda: run(cell), repeats=7)
    done = run(cell)
    assert na.Result(int(done.outcome)).is_physical
    return [str(times), str(int(done.n_steps) + int(done.n_rejected)), ""]


def peak_memory(code: str) -> str:
    """Most memory that a process with `code` used [MB]."""
    program = f"from benchmarks.scaling import *\nna.enable_x64()\n{code}\nprint_peak()"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def print_peak() -> None:
    """Of this process; `getrusage` would count what its parent used, too."""
    status = Path("/proc/self/status").read_text()
    (line,) = [s for s in status.splitlines() if s.startswith("VmHWM")]
    print(f"{int(line.split()[1]) / 1024:.0f}")


def energy(scale):
    """Energy of a discharge of a cell with scaled area."""
    import equinox as eqx

    cell = SODIUM.cell()
    moved = eqx.tree_at(lambda c: c.area, cell, cell.area * jnp.asarray(scale))
    return na.simulate(moved, CYCLE[0], **options_of(SODIUM.naion)).energy


def opponent_solves() -> None:
    from benchmarks.discharge import pybamm_run

    pybamm_run(SODIUM, SODIUM.pybamm)()


def main() -> None:
    """Measure and write the table."""
    rows = []
    reference = na.simulate(
        SODIUM.cell(), CYCLE[0], max_steps=6000, **options_of(NAION_CONVERGED)
    )
    t = SODIUM.naion
    for n in (20,) if FAST else (10, 20, 40, 80, 160):
        settings = Settings(t.volumes, t.separator, n, t.grading, t.rtol)
        rows.append(
            [f"{n} shells, {t.volumes} volumes", *discharge(settings, reference), ""]
        )
    for n in (5,) if FAST else (5, 10, 20, 40, 80):
        settings = Settings(n, t.separator, t.shells, t.grading, t.rtol)
        rows.append(
            [f"{n} volumes, {t.shells} shells", *discharge(settings, reference), ""]
        )
    for n in (1,) if FAST else (1, 2, 5, 10, 20, 50):
        rows.append([f"{n} CC-CV cycles", *cycles(n), ""])
    for name, code in list(MEMORY.items())[: 2 if FAST else None]:
        rows.append([name, "", "", "", peak_memory(code)])
    write(
        "scaling",
        "Cost of a sodium simulation on one core",
        [
            "what",
            "ms, median (quartiles)",
            "attempts",
            "RMSE, capacity",
            "peak memory MB",
        ],
        rows,
        "Inside jit, tuned settings of discharge.md but for what is varied; errors against "
        "a converged solution. Memory is that of a whole process, its libraries included.",
    )
