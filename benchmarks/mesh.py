"""How far are default mesh and tolerance from a converged solution of the same equations?

Also the study behind `naion.parameters.suited_mesh`: by how much volumes through the cell,
and shells, are wrong, on sets between which the liquid's and the particles' numbers differ.
"""

import naion as na
from benchmarks.harness import FAST, Times, alternate, voltage_error, write
from naion.mesh import Mesh
from naion.parameters import suited_mesh

RATES = ("C/10", "3C") if FAST else ("C/10", "C/3", "1C", "2C", "3C")
SETS = ("nfm_hc_18650",) if FAST else tuple(na.parameters.available())
CONVERGED = na.Mesh(6, 3, 6, 30) if FAST else na.Mesh(60, 10, 60, 90)

COLD_SETS = SETS if FAST else ("nfm_hc_18650", "nfpp_hc_32140", "lfp_aboutenergy")
COLD = (253.15,) if FAST else (273.15, 253.15, 233.15)
COLD_RATES = ("C/3",) if FAST else ("C/10", "C/3", "1C")

STUDIED = (
    SETS if FAST else ("nfm_hc_18650", "nmc811_chen2020", "nvpf_hc_chayambuka2022")
)
VOLUMES = (4, 8) if FAST else (4, 6, 8, 12, 16, 24)
SHELLS = (12, 20) if FAST else (12, 16, 20, 26, 34)
FINE_LINE, FINE_SHELLS = (8, 30) if FAST else (60, 90)


def discharge(
    name: str, rate: str, mesh: Mesh | None, rtol: float, T: float | None = None
):
    """A discharge of a set to its lower voltage limit."""
    cell = na.parameters.load(name)
    step = f"Discharge at {rate} until {float(cell.limits.lower_voltage)} V"
    model = na.DFN(mesh)
    options = {"rtol": rtol, "temperature": T, "max_steps": 6000, "throw": False}
    return na.simulate(cell, step, model=model, **options)


def counts(mesh: Mesh) -> str:
    """A mesh in a table."""
    return f"{mesh.n_neg}/{mesh.n_sep}/{mesh.n_pos}/{mesh.n_r}"


def main() -> None:
    """Errors of the defaults, and of other meshes."""
    defaults()
    cold()
    choices()


def defaults() -> None:
    """Errors of the defaults for every embedded set."""
    rows = []
    for name in SETS:
        cell = na.parameters.load(name)
        for rate in RATES:
            reference = discharge(name, rate, CONVERGED, 1e-6)
            plain = discharge(name, rate, None, 5e-4)
            rmse, largest, capacity = voltage_error(plain, reference)
            rows.append(
                [
                    name,
                    counts(cell.defaults.mesh),
                    counts(suited_mesh(cell)),
                    rate,
                    f"{rmse:.2f}",
                    f"{largest:.2f}",
                    f"{capacity:+.3f}",
                    plain.result.name.lower(),
                    str(int(plain.n_steps)),
                    str(int(plain.n_rejected)),
                    str(called(name, rate)),
                ]
            )
    header = ["set", "mesh", "suited", "rate", "RMSE mV", "max mV", "capacity %", "end"]
    write(
        "defaults",
        "Defaults against converged",
        [*header, "steps", "rejected", "ms, median (quartiles)"],
        rows,
        f"The set's own mesh, rtol 5e-4; converged {CONVERGED}, rtol 1e-6. Suited: what "
        "`suited_mesh` chooses for a cell with no mesh of its own. 1.44C of the NVPF set "
        "is 12 A/m2, the fastest that was measured. Errors over the first 98 % of the "
        "charge.",
    )


def called(name: str, rate: str) -> Times:
    """A discharge at the defaults, as users call it."""
    (times,) = alternate(lambda: discharge(name, rate, None, 5e-4).energy)
    return times


def cold() -> None:
    """Errors of the defaults, and of meshes suited to the temperature, in the cold."""
    rows = []
    for name in COLD_SETS:
        cell = na.parameters.load(name)
        for T in COLD:
            suited = suited_mesh(cell, T)
            for rate in COLD_RATES:
                reference = discharge(name, rate, CONVERGED, 1e-5, T)
                found = [discharge(name, rate, m, 5e-4, T) for m in (None, suited)]
                errors = [voltage_error(done, reference) for done in found]
                own, finer = (f"{e[0]:.2f} mV, {e[2]:+.3f} %" for e in errors)
                rows.append(
                    [name, f"{T - 273.15:.0f}", rate, own, counts(suited), finer]
                )
    header = ["set", "degC", "rate", "own mesh", "suited there", "with it"]
    write(
        "defaults_cold",
        "Defaults in the cold against converged",
        header,
        rows,
        f"RMSE of the voltage and error of the capacity, rtol 5e-4; converged {CONVERGED}, "
        "rtol 1e-5. `suited_mesh(cell, temperature)` has at most 60 shells.",
    )


def choices() -> None:
    """Errors of other meshes, the liquid's apart from the particles'."""
    line = [Mesh(n, max(2, n // 4), n, 30) for n in (*VOLUMES, FINE_LINE)]
    shells = [Mesh(8, 3, 8, n) for n in (*SHELLS, FINE_SHELLS)]
    rows = []
    for name in STUDIED:
        for meshes in (line, shells):
            *others, fine = meshes
            for rate in RATES:
                reference = discharge(name, rate, fine, 1e-5)
                for mesh in others:
                    done = discharge(name, rate, mesh, 1e-5)
                    rmse, largest, capacity = voltage_error(done, reference)
                    errors = f"{rmse:.2f}", f"{largest:.2f}", f"{capacity:+.3f}"
                    rows.append([name, rate, counts(mesh), counts(fine), *errors])
    write(
        "mesh",
        "Mesh study",
        ["set", "rate", "mesh", "against", "RMSE mV", "max mV", "capacity %"],
        rows,
        "Tolerance 1e-5, so that only the mesh shows; `nan`: the discharge ended within "
        "the first 98 % of the charge.",
    )
