"""How far are default mesh and tolerance from a converged solution of the same equations?

Also the study by which the default was chosen: the number of shells and their grading on
the hardest case for particles (NVPF / hard carbon at 12 A/m2), volumes through the cell on
the hardest case for the liquid (Chen2020 at 3C, where salt runs out).
"""

import naion as na
from benchmarks.harness import FAST, voltage_error, write

CASES = {
    "nvpf_hc_chayambuka2022": ("C/10", "1C", "1.44C"),
    "nfm_hc_18650": ("C/10", "1C", "3C"),
    "nmc811_chen2020": ("C/10", "1C", "3C"),
}
CONVERGED = na.Mesh(6, 3, 6, 30) if FAST else na.Mesh(60, 10, 60, 90)


def discharge(name: str, rate: str, mesh: na.Mesh, rtol: float):
    """A discharge of a set to its lower voltage limit."""
    cell = na.parameters.load(name)
    step = f"Discharge at {rate} until {float(cell.limits.lower_voltage)} V"
    return na.simulate(
        cell, step, model=na.DFN(mesh), rtol=rtol, max_steps=6000, throw=False
    )


def main() -> None:
    """Errors of the defaults, and of other meshes."""
    defaults()
    choices()


def defaults() -> None:
    """Errors of the defaults for every embedded set."""
    rows = []
    for name, rates in CASES.items():
        for rate in rates:
            reference = discharge(name, rate, CONVERGED, 1e-6)
            plain = discharge(name, rate, na.Mesh(), 5e-4)
            rmse, largest, capacity = voltage_error(plain, reference)
            rows.append(
                [
                    name,
                    rate,
                    f"{rmse:.2f}",
                    f"{largest:.2f}",
                    f"{capacity:+.3f}",
                    plain.result.name.lower(),
                    str(int(plain.n_steps)),
                    str(int(plain.n_rejected)),
                ]
            )
    write(
        "defaults",
        "Defaults against converged",
        ["set", "rate", "RMSE mV", "max mV", "capacity %", "end", "steps", "rejected"],
        rows,
        f"Default {na.Mesh()}, rtol 5e-4; converged {CONVERGED}, rtol 1e-6. 1.44C of the "
        "NVPF set is 12 A/m2. Errors over the first 98 % of the charge.",
    )


def choices() -> None:
    """Errors of other meshes on the hardest cases."""
    default = na.Mesh()
    x = default.n_neg, default.n_sep, default.n_pos
    shells = [na.Mesh(*x, n, g) for n in (20, 30, 40) for g in (0.0, 2.5)]
    volumes = [na.Mesh(n, 4, n) for n in (5, 8, 12, 20, 40)]
    studies = {
        ("nvpf_hc_chayambuka2022", "1.44C"): [*shells, na.Mesh(5, 4, 5)],
        ("nmc811_chen2020", "3C"): [default, *volumes],
    }
    rows = []
    for (name, rate), meshes in studies.items():
        reference = discharge(name, rate, CONVERGED, 1e-6)
        for mesh in meshes[:2] if FAST else meshes:
            done = discharge(name, rate, mesh, 1e-5)
            rmse, largest, capacity = voltage_error(done, reference)
            rows.append(
                [
                    f"{name} {rate}",
                    f"{mesh.n_neg}/{mesh.n_sep}/{mesh.n_pos}",
                    str(mesh.n_r),
                    f"{mesh.grading:g}",
                    f"{rmse:.2f}",
                    f"{largest:.2f}",
                    f"{capacity:+.3f}",
                ]
            )
    header = ["case", "x volumes", "shells", "grading", "RMSE mV", "max mV"]
    write(
        "mesh",
        "Mesh study",
        [*header, "capacity %"],
        rows,
        "Tolerance 1e-5, so that only the mesh shows; `nan`: the discharge ended within "
        "the first 98 % of the charge.",
    )
