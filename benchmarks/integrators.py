"""Which time integrator? Rosenbrock methods and a Newton-based one, work and precision.

Rodas3 (Sandu et al., Atmos. Environ. 31 (1997) 3459), Rodas4 (Hairer and Wanner, Solving
ODEs II, section VI.4) and Rodas5P (Steinebach 2023) run in naion's own integrator. SDIRK4
(Hairer and Wanner II, table IV.6.5), five implicit stages of order 4(3) with simplified
Newton iterations, one factorisation a step, runs in a plain loop without events, dense
output or error control of algebraic unknowns: less than naion would need of it. All solve
the same cells on the same mesh; errors are against Rodas5P at rtol 1e-7 on that mesh, so
that only time shows.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, alternate, voltage_error, write
from naion.simulation import outcome_of
from naion.simulation.driver import solution_of
from naion.solvers import RODAS5P, Settings, Tableau, beginning, integrate
from naion.systems import CellSystem, segments_of


def _lower(*rows):
    full = np.zeros((len(rows) + 1, len(rows) + 1))
    for i, row in enumerate(rows, start=1):
        full[i, : len(row)] = row
    return full


RODAS3 = Tableau(
    gamma=0.5,
    a=_lower((0.0,), (2.0, 0.0), (2.0, 0.0, 1.0)),
    c=_lower((4.0,), (1.0, -1.0), (1.0, -1.0, -8.0 / 3.0)),
    alpha=np.array([0.0, 0.0, 1.0, 1.0]),
    gamma_sum=np.array([0.5, 1.5, 0.0, 0.0]),
    m=np.array([2.0, 0.0, 1.0, 1.0]),
    error=np.array([0.0, 0.0, 0.0, 1.0]),
    # Two rows, because initialising reports through them; of no accuracy.
    dense=np.zeros((2, 4)),
    order=3,
    error_order=3,
)
_LAST = (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895)
RODAS4 = Tableau(
    gamma=0.25,
    a=_lower(
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        _LAST,
        (*_LAST, 1.0),
    ),
    c=_lower(
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (
            8.083246795921522,
            -7.981132988064893,
            -31.52159432874371,
            16.31930543123136,
            -6.058818238834054,
        ),
    ),
    alpha=np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0]),
    gamma_sum=np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0]),
    m=np.array([*_LAST, 1.0, 1.0]),
    error=np.array([0.0] * 5 + [1.0]),
    dense=np.array(
        [
            [
                10.12623508344586,
                -7.487995877610167,
                -34.80091861555747,
                -7.992771707568823,
                1.025137723295662,
                0.0,
            ],
            [
                -0.6762803392806898,
                6.087714651680015,
                16.43084320892478,
                24.76722511418386,
                -6.594389125716872,
                0.0,
            ],
        ]
    ),
    order=4,
    error_order=4,
)
METHODS = {"Rodas3": RODAS3, "Rodas4": RODAS4, "Rodas5P": RODAS5P}
CASES = (("nvpf_hc_chayambuka2022", 1.0), ("nmc811_chen2020", 1.0))


def solver(name: str, rate: float, tableau: Tableau, rtol: float, max_steps: int):
    """A compiled discharge with a given method."""
    cell = na.parameters.load(name)
    model = na.DFN()
    V = float(cell.limits.lower_voltage)
    protocol = na.Protocol(f"Discharge at {rate}C until {V} V")
    first = jnp.asarray(1.0)
    settings = Settings(jnp.asarray(rtol), first, max_steps, max_steps, tableau=tableau)
    equations, grid = model.for_cell(cell), model.discretise(cell)
    system = CellSystem(equations)
    segments = segments_of(protocol, cell, cell.temperature)
    y0 = equations.equilibrium(
        grid, na.parameters.start_of(cell, "charged"), cell.temperature
    )

    def run():
        t = integrate(system, beginning(y0, 1.0), grid, segments, settings)
        return solution_of(t, outcome_of(t), protocol, model)

    return jax.jit(run)


SDIRK_A = np.array(
    [
        [1 / 4, 0, 0, 0, 0],
        [1 / 2, 1 / 4, 0, 0, 0],
        [17 / 50, -1 / 25, 1 / 4, 0, 0],
        [371 / 1360, -137 / 2720, 15 / 544, 1 / 4, 0],
        [25 / 24, -49 / 48, 125 / 16, -85 / 12, 1 / 4],
    ]
)
SDIRK_ERROR = np.array([-3 / 16, -27 / 32, 25 / 32, 0, 1 / 4])
NEWTON = 0.02
"""Newton iterations stop at this share of the tolerance."""


class Walk(NamedTuple):
    """A solve by SDIRK4: state, time, next step, counts and recorded (time, voltage)."""

    y: jax.Array
    t: jax.Array
    h: jax.Array
    steps: jax.Array
    rejected: jax.Array
    iterations: jax.Array
    points: jax.Array


def sdirk(system, grid, control, y0, t_end, rtol) -> Walk:
    """Integrate at constant control to `t_end` [s]."""
    mass = jnp.asarray(system.mass)
    a, gamma = jnp.asarray(SDIRK_A), 0.25

    def size(dy, y):
        return system.error_ratio(dy, y, grid, control, jnp.zeros(())) / rtol

    def rates(y):
        return system.rates(jnp.zeros(()), y, grid, control)

    def step(w: Walk) -> Walk:
        h = jnp.minimum(w.h, t_end - w.t)
        factors = system.factor(1.0 / (gamma * h), w.t, w.y, grid, control)

        def stage(i, carry):
            k, y, count, converged = carry
            base = w.y + h * (a[i] @ k)

            def newton(c):
                y, _, n, _ = c
                dy = factors.solve(mass * (base - y) / (gamma * h) + rates(y))
                last = size(dy, y)
                return y + dy, last, n + 1, last < NEWTON

            def going(c):
                return ~c[3] & (c[2] < 8) & jnp.isfinite(c[1])

            start = (y, jnp.zeros(()), 0, jnp.asarray(False))
            y, _, n, done = jax.lax.while_loop(going, newton, start)
            slope = mass * (y - base) / (gamma * h)
            return k.at[i].set(slope), y, count + n, converged & done

        k = jnp.zeros((5, w.y.shape[0]))
        start = (k, w.y, 0, jnp.asarray(True))
        k, y, count, converged = jax.lax.fori_loop(0, 5, stage, start)
        ratio = size(h * (SDIRK_ERROR @ k), y)
        good = converged & (ratio <= 1.0)
        grow = jnp.clip(0.9 * ratio**-0.25, 0.1, 6.0)
        factor = jnp.where(converged & jnp.isfinite(ratio), grow, 0.25)
        V = system.outputs(w.t, y, grid, control)[0]
        at = jnp.where(good, w.steps, w.points.shape[0])
        return Walk(
            jnp.where(good, y, w.y),
            jnp.where(good, w.t + h, w.t),
            h * factor,
            w.steps + good,
            w.rejected + ~good,
            w.iterations + count,
            w.points.at[at].set(jnp.stack([w.t + h, V]), mode="drop"),
        )

    zero, none = jnp.zeros(()), jnp.asarray(0)
    first = Walk(y0, zero, jnp.ones(()), none, none, none, jnp.zeros((2000, 2)))
    return jax.lax.while_loop(
        lambda w: (w.t < t_end - 1e-9) & (w.steps + w.rejected < 2000), step, first
    )


def sdirk_rows(name: str, rate: float, rtols, reference) -> list[list[str]]:
    """The Newton-based method over the first 98 % of a discharge."""
    cell, model = na.parameters.load(name), na.DFN()
    equations, grid = model.for_cell(cell), model.discretise(cell)
    system = CellSystem(equations)
    protocol = na.Protocol(f"Discharge at {rate}C until 0 V")
    control = jax.tree.map(
        lambda v: v[0], segments_of(protocol, cell, cell.temperature).control
    )
    y0 = equations.equilibrium(
        grid, na.parameters.start_of(cell, "charged"), cell.temperature
    )
    y0 = system.start_guess(jnp.zeros(()), y0, grid, control)
    t_end = 0.98 * reference.t_end
    rows = []
    for rtol in rtols:
        run = jax.jit(partial(sdirk, system, grid, control, y0, t_end, rtol))
        done = run()
        points = np.asarray(done.points[: int(done.steps)])
        error = 1e3 * (points[:, 1] - np.asarray(reference.at(points[:, 0]).voltage))
        # Weighted by the length of the steps, as equal steps of charge would be.
        weight = np.diff(points[:, 0], prepend=0.0)
        rms = np.sqrt(np.sum(weight * error**2) / np.sum(weight))
        rows.append(
            [
                name,
                f"SDIRK4, {int(done.iterations)} iterations",
                f"{rtol:g}",
                str(int(done.steps)),
                str(int(done.rejected)),
                str(alternate(run, repeats=7)[0]),
                f"{rms:.3f}",
                f"{np.max(np.abs(error)):.2f}",
                "-",
            ]
        )
    return rows


def main() -> None:
    """Run and write the table."""
    rows = []
    for name, rate in CASES[:1] if FAST else CASES:
        reference = solver(name, rate, RODAS5P, 1e-7, 2000)()
        rtols = (1e-3,) if FAST else (3e-3, 1e-3, 3e-4, 1e-4)
        rows += sdirk_rows(name, rate, rtols, reference)
        for method, tableau in METHODS.items():
            for rtol in rtols:
                run = solver(name, rate, tableau, rtol, 2000)
                rmse, largest, capacity = voltage_error(run(), reference)
                done = run()
                rows.append(
                    [
                        name,
                        method,
                        f"{rtol:g}",
                        str(int(done.n_steps)),
                        str(int(done.n_rejected)),
                        str(alternate(run, repeats=7)[0]),
                        f"{rmse:.3f}",
                        f"{largest:.2f}",
                        f"{capacity:+.4f}",
                    ]
                )
    header = ["set", "method", "rtol", "steps", "rejected", "ms (quartiles)"]
    write(
        "integrators",
        "Work and precision of time integrators, 1C discharges",
        [*header, "RMSE mV", "max mV", "capacity %"],
        rows,
        f"{na.Mesh()}; errors against Rodas5P at rtol 1e-7 on the same mesh, over the first "
        "98 % of the charge: of the dense output, but for SDIRK4 at the ends of its steps.",
    )
