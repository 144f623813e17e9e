"""Which time integrator: Rosenbrock methods of order 3 to 5, work against precision.

Rodas3 (Sandu et al., Atmos. Environ. 31 (1997) 3459), Rodas4 (Hairer and Wanner, Solving
ODEs II, section VI.4) and Rodas5P (Steinebach 2023) solve the same cells on the same
mesh; the error is against a solve at rtol 1e-8 on that mesh, so that only time shows.
Newton-based methods were left aside: a Newton iteration costs a factorisation and two
residuals, as much as two or three Rosenbrock stages, and needs two or more an implicit
stage.
"""

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, median_text, seconds, voltage_error, write
from naion.simulation import Solution
from naion.simulation._simulate import start_state
from naion.simulation._system import CellSystem, segments_of
from naion.solvers import RODAS5P, Settings, Tableau, integrate


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
    dense=np.zeros((1, 4)),
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
    settings = Settings(jnp.asarray(rtol), jnp.asarray(1.0), max_steps, tableau)
    system = CellSystem(model)
    grid = model.lay_out(cell)
    segments = segments_of(protocol, cell, cell.temperature)
    y0 = model.equilibrium(grid, start_state(cell, "charged"), cell.temperature)

    def run():
        t = integrate(system, y0, grid, segments, settings)
        return Solution(t.record, t.y, t.t, t.status, t.n_steps, t.n_rejected, model)

    return jax.jit(run)


def main() -> None:
    """Run and write the table."""
    rows = []
    for name, rate in CASES[:1] if FAST else CASES:
        reference = solver(name, rate, RODAS5P, 1e-7, 2000)()
        for method, tableau in METHODS.items():
            for rtol in (1e-3,) if FAST else (3e-3, 1e-3, 3e-4, 1e-4):
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
                        median_text(seconds(run, 7)),
                        f"{rmse:.3f}",
                        f"{largest:.2f}",
                        f"{capacity:+.4f}",
                    ]
                )
    header = ["set", "method", "rtol", "steps", "rejected", "ms (quartiles)"]
    write(
        "integrators",
        "Work and precision of Rosenbrock methods, 1C discharges",
        [*header, "RMSE mV", "max mV", "capacity %"],
        rows,
        f"{na.Mesh()}; errors against Rodas5P at rtol 1e-7 on the same mesh.",
    )


if __name__ == "__main__":
    na.enable_x64()
    main()
