"""Reference solutions of PyBaMM, stored next to this file.

Run with a Python that has PyBaMM 26.10.1.1 or later; naion and JAX are not needed:

    python tests/reference/make_pybamm_references.py [case ...]

The equations are those of naion, so that only the numerics differ: tables are monotone
cubics, continued as naion declares, and PyBaMM's own regularisations (a barrier in the
open-circuit potential near empty and full, floors of the salt concentration, rounded
square roots in the exchange current) are cancelled or made negligible.

`--refine 2 --out FOLDER` repeats a case on a finer mesh, to see how converged it is.
"""

import argparse
import csv
import datetime
from pathlib import Path

import numpy as np
import pybamm
from pybamm.parameters.lithium_ion_parameters import U_asymptotes
from scipy.interpolate import PchipInterpolator

HERE = Path(__file__).resolve().parent
TABLES = HERE.parents[1] / "naion/parameters/sets/nvpf_hc_chayambuka2022"
PIECES = 300
"""Straight pieces that stand for the cubic between two points of a table."""

RTOL, ATOL = 1e-7, 1e-8
X_STRETCH, R_STRETCH = 1.0, 2.5
TOLERANCES = {"reg_power": 1e-5, "D_e__c_e": 1e-2, "kappa_e__c_e": 1e-2}
"""PyBaMM's regularisations: of roots (relative), least salt for transport [mol.m-3]."""

AREA = {"sodium": 2.54e-4, "lithium": 0.065 * 1.58}
SETS = {"sodium": "nvpf_hc_chayambuka2022", "lithium": "nmc811_chen2020"}
C_MAX = {"sodium": (14540.0, 15320.0), "lithium": (33133.0, 63104.0)}
PUBLISHED = {
    "sodium": (13520.0 / 14540.0, 3320.0 / 15320.0),
    "lithium": (29866.0 / 33133.0, 17038.0 / 63104.0),
}
LOW = (0.1148, 0.795)
"""Stoichiometries (negative, positive) of Chen2020 at about 10 % state of charge."""

IMPEDANCE = "chen_impedance"
CCCV = ("Charge at 1C until 4.2 V", "Hold at 4.2 V until C/20")
PULSES = ("Discharge at 1C for 360 seconds", "Rest for 900 seconds") * 5


def table(name: str, x_scale: float, extrapolation: str, low: float, high: float):
    """A table as a function for PyBaMM: a monotone cubic, continued to the limits."""
    with (TABLES / name).open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    x, y = np.array(rows[1:], dtype=float).T
    x = x_scale * x
    curve = PchipInterpolator(x, y)
    within = [np.linspace(x[i], x[i + 1], PIECES + 1) for i in range(x.size - 1)]
    fine = np.unique(np.concatenate(within))
    value = curve(fine)
    slope = curve.derivative()(x[[0, -1]]) * (extrapolation == "linear")
    if low < x[0]:
        fine = np.append(low, fine)
        value = np.append(y[0] + slope[0] * (low - x[0]), value)
    if high > x[-1]:
        fine = np.append(fine, high)
        value = np.append(value, y[-1] + slope[1] * (high - x[-1]))

    def function(argument, temperature=None):
        return pybamm.Interpolant(fine, value, argument, name)

    return function


def without_barrier(ocp):
    """A potential in which PyBaMM's own barrier cancels."""
    return lambda sto: ocp(sto) - U_asymptotes(sto)


def exchange_current(k_0):
    """PyBaMM's expression for the sodium set, with its factor of one half."""

    def function(c_e, c_s_surf, c_s_max, T):
        c_e0 = pybamm.Parameter("Initial concentration in electrolyte [mol.m-3]")
        salt = (c_e / c_e0) ** 0.5
        sites = c_s_surf**0.5 * (c_s_max - c_s_surf) ** 0.5
        return pybamm.constants.F * k_0(c_s_surf / c_s_max) * salt * sites / 2

    return function


def sodium() -> pybamm.ParameterValues:
    """Chayambuka2022 with naion's interpolation."""
    values = pybamm.ParameterValues("Chayambuka2022")
    materials = zip(("Negative", "Positive"), ("hc", "nvpf"), strict=True)
    for (side, material), c_max in zip(materials, C_MAX["sodium"], strict=True):

        def solid(kind, x_scale, extrapolation, material=material):
            return table(f"{material}_{kind}.csv", x_scale, extrapolation, -0.05, 1.05)

        ocp = solid("ocp", 1.0, "linear")
        k_0 = solid("rate_constant", 1.0 / c_max, "clamp")
        diffusivity = solid("diffusivity", 1.0 / c_max, "clamp")
        values[f"{side} electrode OCP [V]"] = without_barrier(ocp)
        values[f"{side} particle diffusivity [m2.s-1]"] = diffusivity
        name = f"{side} electrode exchange-current density [A.m-2]"
        values[name] = exchange_current(k_0)
    for name, unit in (("diffusivity", "m2.s-1"), ("conductivity", "S.m-1")):
        liquid = table(f"electrolyte_{name}.csv", 1.0, "clamp", -1e3, 1e4)
        values[f"Electrolyte {name} [{unit}]"] = liquid
    return values


def lithium() -> pybamm.ParameterValues:
    """Chen2020; its functions are the same closed expressions in both codes."""
    values = pybamm.ParameterValues("Chen2020")
    for side in ("Negative", "Positive"):
        name = f"{side} electrode OCP [V]"
        values[name] = without_barrier(values[name])
    return values


class Clustered(pybamm.SubMesh1D):
    """Volumes that shrink towards both ends, by a hyperbolic tangent.

    At a face between two materials PyBaMM is of first order only, so the volumes there
    should be small.
    """

    def __init__(self, lims, npts, stretch):
        variable, limits, tabs = self.read_lims(lims)
        i = np.linspace(-1.0, 1.0, npts[variable.name] + 1)
        unit = 0.5 + 0.5 * np.tanh(stretch * i) / np.tanh(stretch)
        edges = limits["min"] + (limits["max"] - limits["min"]) * unit
        super().__init__(edges, coord_sys=variable.coord_sys, tabs=tabs)


class Mesh:
    """Volumes (negative, separator, positive) and shells in each particle."""

    def __init__(self, volumes: tuple[int, int, int], shells: int, refine: float):
        self.volumes = [round(refine * n) for n in volumes]
        self.shells = round(refine * shells)

    def __str__(self) -> str:
        return (
            f"{self.volumes} volumes (tanh, stretch {X_STRETCH:g}), {self.shells} "
            f"shells in each particle (exponential, stretch {R_STRETCH:g})"
        )

    def options(self, model) -> dict:
        """For `pybamm.Simulation`."""
        line = pybamm.MeshGenerator(Clustered, {"stretch": X_STRETCH})
        graded = {"side": "right", "stretch": R_STRETCH}
        sphere = pybamm.MeshGenerator(pybamm.Exponential1DSubMesh, graded)
        types = dict(model.default_submesh_types) | {"separator": line}
        for side in ("negative", "positive"):
            types[f"{side} electrode"] = line
            types[f"{side} particle"] = sphere
        counts = (*self.volumes, self.shells, self.shells)
        names = ("x_n", "x_s", "x_p", "r_n", "r_p")
        points = dict(zip(names, counts, strict=True))
        return {"submesh_types": types, "var_pts": points}


def simulate(kind: str, mesh: Mesh, sto, *, steps=None, current=None, low=None):
    """A protocol of several steps, or a discharge with `current` [A] to `low` volts."""
    values = {"sodium": sodium, "lithium": lithium}[kind]()
    for side, x, c_max in zip(("negative", "positive"), sto, C_MAX[kind], strict=True):
        values[f"Initial concentration in {side} electrode [mol.m-3]"] = x * c_max
    solver = pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL)
    if kind == "sodium":
        model = pybamm.sodium_ion.BasicDFN()
    else:
        model = pybamm.lithium_ion.DFN({"calculate discharge energy": "true"})
    common = {"parameter_values": values, "solver": solver} | mesh.options(model)
    if steps is not None:
        # The cut-off of a charge then ends its step and not the experiment.
        values["Upper voltage cut-off [V]"] = 4.5
        experiment = pybamm.Experiment(list(steps))
        return pybamm.Simulation(model, experiment=experiment, **common).solve()
    values["Current function [A]"] = current
    values["Lower voltage cut-off [V]"] = low
    capacity = {"sodium": 3e-3, "lithium": 5.2}[kind]
    return pybamm.Simulation(model, **common).solve([0.0, 3600.0 * capacity / current])


FREQUENCIES = np.geomspace(1e4, 1e-3, 50)
CAPACITANCE = 0.2
"""Of the double layers [F.m-2]."""


def impedance(mesh: Mesh, sto) -> np.ndarray:
    """Of Chen2020 at rest, with double layers, at `FREQUENCIES` [ohm]."""
    values = lithium()
    for side, x, c_max in zip(
        ("Negative", "Positive"), sto, C_MAX["lithium"], strict=True
    ):
        name = f"Initial concentration in {side.lower()} electrode [mol.m-3]"
        values[name] = x * c_max
        values[f"{side} electrode double-layer capacity [F.m-2]"] = CAPACITANCE
    model = pybamm.lithium_ion.DFN({"surface form": "differential"})
    simulation = pybamm.EISSimulation(
        model, parameter_values=values, **mesh.options(model)
    )
    return np.asarray(simulation.solve(FREQUENCIES).impedance)


def store_impedance(folder: Path, refine: float):
    """Write the spectrum with its provenance."""
    mesh = Mesh((60, 20, 60), 400, refine)
    path = folder / "chen_impedance.npz"
    np.savez_compressed(
        path,
        frequency_Hz=FREQUENCIES,
        impedance_ohm=impedance(mesh, PUBLISHED["lithium"]),
        capacitance_F_m2=CAPACITANCE,
        sto_negative=PUBLISHED["lithium"][0],
        sto_positive=PUBLISHED["lithium"][1],
        mesh=str(mesh),
        tool="PyBaMM",
        version=pybamm.__version__,
        date=datetime.date.today().isoformat(),
    )
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def sample_times(t_end: float, n: int) -> np.ndarray:
    """Times of one step: dense at its start and at its end, even between."""
    early = np.geomspace(1e-2, 0.02 * t_end, n // 5)
    late = t_end - np.geomspace(1e-3, 0.05, n // 5) * t_end
    even = np.linspace(0.0, t_end, n - 2 * (n // 5))
    return np.unique(np.concatenate([early, even, late]))


def store(path: Path, solution, n: int, **about):
    """Write one case with its provenance."""
    parts = [step for cycle in solution.cycles for step in cycle.steps] or [solution]
    times = []
    for part in parts:
        first, last = part.t[0], part.t[-1]
        times.append(first + sample_times(last - first, n // len(parts)))
        times[-1][-1] = last
    pairs = list(zip(parts, times, strict=True))
    charge = solution["Discharge capacity [A.h]"].data[-1]
    np.savez_compressed(
        path,
        time_s=np.concatenate(times),
        voltage_V=np.concatenate([part["Voltage [V]"](t) for part, t in pairs]),
        current_A=np.concatenate([part["Current [A]"](t) for part, t in pairs]),
        step=np.concatenate([np.full(t.size, i) for i, t in enumerate(times)]),
        step_ends_s=np.array([part.t[-1] for part in parts]),
        capacity_Ah=charge,
        end=str(solution.termination),
        tool="PyBaMM",
        version=pybamm.__version__,
        date=datetime.date.today().isoformat(),
        tolerances=f"IDAKLU, rtol {RTOL:g}, atol {ATOL:g}",
        regularisation=", ".join(f"{k} {v:g}" for k, v in TOLERANCES.items()),
        **about,
    )
    print(
        f"{path.name}: {path.stat().st_size} bytes to {solution.t[-1]:.3f} s, "
        f"{charge:.8g} A.h, {solution.termination}, {solution.solve_time}",
        flush=True,
    )


def cases() -> dict[str, dict]:
    """What to run, by name.

    The meshes leave errors of about 0.1 mV, and 0.3 mV in the first 0.1 s at 3C. At 3C
    a reaction front crosses the negative electrode, which needs many volumes.
    """
    runs = {}
    for name, density in (("0p5", 0.5), ("1", 1.0), ("5", 5.0), ("12", 12.0)):
        runs[f"chayambuka_{name}"] = dict(
            kind="sodium",
            mesh=((40, 20, 40), 300),
            current=density * AREA["sodium"],
            low=2.0,
        )
    for name, rate in (("c10", 0.1), ("1c", 1.0), ("3c", 3.0)):
        volumes, shells = ((160, 40, 160), 300) if rate < 3.0 else ((320, 40, 160), 200)
        runs[f"chen_{name}"] = dict(
            kind="lithium", mesh=(volumes, shells), current=5.0 * rate, low=2.5
        )
    experiment = dict(kind="lithium", mesh=((160, 40, 160), 300))
    runs["chen_cccv"] = experiment | dict(steps=CCCV, sto=LOW)
    runs["chen_pulses"] = experiment | dict(steps=PULSES)
    return runs


def run(name: str, folder: Path, refine: float):
    """Make one case."""
    case = cases()[name]
    kind = case["kind"]
    mesh = Mesh(*case.pop("mesh"), refine)
    sto = case.setdefault("sto", PUBLISHED[kind])
    solution = simulate(mesh=mesh, **case)
    if "steps" in case:
        about = {"protocol": np.array(case["steps"])}
    else:
        about = {
            "discharge_current_A": case["current"],
            "lower_voltage_V": case["low"],
            "current_density_A_m2": case["current"] / AREA[kind],
        }
    store(
        folder / f"{name}.npz",
        solution,
        600 if "steps" in case else 500,
        set=SETS[kind],
        mesh=str(mesh),
        sto_negative=sto[0],
        sto_positive=sto[1],
        **about,
    )


def main():
    """Make the cases named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    every = [*cases(), IMPEDANCE]
    parser.add_argument("case", nargs="*", help=f"of {', '.join(every)}")
    parser.add_argument("--refine", type=float, default=1.0, help="mesh, times this")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    options = parser.parse_args()
    pybamm.settings.tolerances.update(TOLERANCES)
    for name in options.case or every:
        if name == IMPEDANCE:
            store_impedance(options.out, options.refine)
        else:
            run(name, options.out, options.refine)


if __name__ == "__main__":
    main()
