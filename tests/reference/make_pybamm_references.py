"""Reference solutions of PyBaMM, stored next to this file.

Run with a Python that has PyBaMM 26.10.1.1 or later; naion and JAX are not needed:

    python tests/reference/make_pybamm_references.py [case ...]

The equations are those of naion, so that what differs is the numerics alone: tables are
interpolated by monotone cubics and continued as naion declares, and PyBaMM's own
regularisations (a barrier in the open-circuit potential near empty and full, floors of
the salt concentration, rounded square roots) are taken out or made negligible.
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
SETS = HERE.parents[1] / "naion" / "parameters" / "sets"
PER_KNOT = 400
"""Linear pieces between two points of a table."""

RTOL = 1e-7
ATOL = 1e-8
X_STRETCH = 1.0
R_STRETCH = 2.5
REG_POWER = 1e-5
"""Where PyBaMM rounds off the square roots of the exchange current, relative."""

CHAYAMBUKA_AREA = 2.54e-4
CHAYAMBUKA_RATES = {"0p5": 0.5, "1": 1.0, "5": 5.0, "12": 12.0}
CHEN_DISCHARGES = {"c10": ("C/10", 0.1), "1c": ("1C", 1.0), "3c": ("3C", 3.0)}
CHEN_LOW = {"negative": 0.1148, "positive": 0.795}
"""Stoichiometries of the discharged Chen2020 cell, about 10 % SOC."""

CCCV = ("Charge at 1C until 4.2 V", "Hold at 4.2 V until C/20")
PULSES = ("Discharge at 1C for 360 seconds", "Rest for 900 seconds") * 5


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The two columns of a table of the sodium-ion set."""
    path = SETS / "nvpf_hc_chayambuka2022" / name
    rows = [r for r in csv.reader(path.read_text().splitlines())]
    rows = [r for r in rows if r and not r[0].startswith("#")]
    x, y = np.array(rows[1:], dtype=float).T
    return x, y


def resampled(x, y, low: float, high: float, extrapolation: str):
    """A monotone cubic as many short straight pieces, continued to `low` and `high`."""
    curve = PchipInterpolator(x, y)
    fine = np.unique(
        np.concatenate(
            [np.linspace(a, b, PER_KNOT + 1) for a, b in zip(x, x[1:], strict=False)]
        )
    )
    value = curve(fine)
    slope = curve.derivative()(x[[0, -1]]) if extrapolation == "linear" else (0.0, 0.0)
    before = (low, value[0] + slope[0] * (low - x[0]))
    after = (high, value[-1] + slope[1] * (high - x[-1]))
    if low < x[0]:
        fine, value = np.append(before[0], fine), np.append(before[1], value)
    if high > x[-1]:
        fine, value = np.append(fine, after[0]), np.append(value, after[1])
    return fine, value


def interpolant(file: str, low, high, extrapolation, x_scale=1.0):
    """A table as a function of its argument, for PyBaMM."""
    x, y = table(file)
    x, y = resampled(x_scale * x, y, low, high, extrapolation)

    def function(argument):
        return pybamm.Interpolant(x, y, argument, file)

    return function


def without_barrier(ocp):
    """The potential such that PyBaMM's own barrier cancels."""
    return lambda sto: ocp(sto) - U_asymptotes(sto)


def chayambuka() -> pybamm.ParameterValues:
    """The sodium-ion set with naion's interpolation."""
    values = pybamm.ParameterValues("Chayambuka2022")
    c_max = {"Negative": 14540.0, "Positive": 15320.0}
    for side, material in (("Negative", "hc"), ("Positive", "nvpf")):
        per = 1.0 / c_max[side]
        ocp = interpolant(f"{material}_ocp.csv", -0.05, 1.05, "linear")
        D_s = interpolant(f"{material}_diffusivity.csv", -0.05, 1.05, "clamp", per)
        k_0 = interpolant(f"{material}_rate_constant.csv", -0.05, 1.05, "clamp", per)
        values.update(
            {
                f"{side} electrode OCP [V]": without_barrier(ocp),
                f"{side} particle diffusivity [m2.s-1]": _of_first(D_s),
                f"{side} electrode exchange-current density [A.m-2]": _exchange(k_0),
            }
        )
    D_e = interpolant("electrolyte_diffusivity.csv", -1e3, 1e4, "clamp")
    kappa = interpolant("electrolyte_conductivity.csv", -1e3, 1e4, "clamp")
    values["Electrolyte diffusivity [m2.s-1]"] = _of_first(D_e)
    values["Electrolyte conductivity [S.m-1]"] = _of_first(kappa)
    return values


def _of_first(curve):
    return lambda x, T: curve(x)


def _exchange(k_0):
    """PyBaMM's expression for this set, with its factor of one half."""

    def function(c_e, c_s_surf, c_s_max, T):
        c_e0 = pybamm.Parameter("Initial concentration in electrolyte [mol.m-3]")
        salt = (c_e / c_e0) ** 0.5
        sites = c_s_surf**0.5 * (c_s_max - c_s_surf) ** 0.5
        return pybamm.constants.F * k_0(c_s_surf / c_s_max) * salt * sites / 2

    return function


def chen() -> pybamm.ParameterValues:
    """The lithium-ion set; its functions are closed expressions in both codes."""
    values = pybamm.ParameterValues("Chen2020")
    for side in ("Negative", "Positive"):
        name = f"{side} electrode OCP [V]"
        values[name] = without_barrier(values[name])
    return values


class Clustered(pybamm.SubMesh1D):
    """Volumes that shrink towards both ends, by a hyperbolic tangent.

    At a face between two materials PyBaMM is of first order only, so small volumes there
    do more than many elsewhere.
    """

    def __init__(self, lims, npts, stretch):
        variable, limits, tabs = self.read_lims(lims)
        i = np.linspace(-1.0, 1.0, npts[variable.name] + 1)
        unit = 0.5 + 0.5 * np.tanh(stretch * i) / np.tanh(stretch)
        edges = limits["min"] + (limits["max"] - limits["min"]) * unit
        super().__init__(edges, coord_sys=variable.coord_sys, tabs=tabs)


class Mesh:
    """Volumes clustered to the faces of the regions, shells to the surface."""

    def __init__(self, refine: float, volumes=(40, 20, 40), shells=120):
        self.x = [round(refine * n) for n in volumes]
        self.shells = round(refine * shells)

    def __str__(self) -> str:
        return (
            f"{self.x} volumes (tanh, stretch {X_STRETCH:g}), {self.shells} shells in "
            f"each particle (exponential, stretch {R_STRETCH:g})"
        )

    def options(self, model) -> dict:
        """For `pybamm.Simulation`."""
        line = pybamm.MeshGenerator(Clustered, {"stretch": X_STRETCH})
        sphere = pybamm.MeshGenerator(
            pybamm.Exponential1DSubMesh, {"side": "right", "stretch": R_STRETCH}
        )
        submeshes = dict(model.default_submesh_types)
        for side in ("negative", "positive"):
            submeshes[f"{side} electrode"] = line
            submeshes[f"{side} particle"] = sphere
        submeshes["separator"] = line
        n, s, p = self.x
        points = {"x_n": n, "x_s": s, "x_p": p, "r_n": self.shells, "r_p": self.shells}
        return {"submesh_types": submeshes, "var_pts": points}


def discharge(model, values, current: float, low: float, hours: float, mesh: Mesh):
    """A constant-current discharge to `low` volts."""
    values = values.copy()
    values["Current function [A]"] = current
    values["Lower voltage cut-off [V]"] = low
    simulation = pybamm.Simulation(
        model, parameter_values=values, solver=solver(), **mesh.options(model)
    )
    return simulation.solve([0.0, 1.5 * 3600.0 * hours])


def experiment(model, values, steps, mesh: Mesh):
    """A protocol of several steps."""
    values = values.copy()
    # So that a cut-off at the limit ends its step and not the experiment.
    values["Upper voltage cut-off [V]"] = 4.5
    simulation = pybamm.Simulation(
        model,
        parameter_values=values,
        solver=solver(),
        experiment=pybamm.Experiment(list(steps)),
        **mesh.options(model),
    )
    return simulation.solve()


def solver() -> pybamm.IDAKLUSolver:
    """The integrator of all cases."""
    return pybamm.IDAKLUSolver(rtol=RTOL, atol=ATOL)


def sample_times(t_end: float, n: int) -> np.ndarray:
    """Times of one step: close at its start, even later, denser at its end."""
    early = np.geomspace(1e-2, 0.02 * t_end, n // 5)
    late = t_end - np.geomspace(1e-3, 0.05, n // 5) * t_end
    even = np.linspace(0.0, t_end, n - 2 * (n // 5))
    return np.unique(np.concatenate([early, even, late]))


def sampled(solution, n: int) -> dict[str, np.ndarray]:
    """Time, voltage and current along a solution, step by step."""
    parts = solution.cycles[0].steps if solution.cycles else [solution]
    if len(solution.cycles) > 1:
        parts = [step for cycle in solution.cycles for step in cycle.steps]
    t, V, current, index = [], [], [], []
    for i, part in enumerate(parts):
        first, last = part.t[0], part.t[-1]
        times = first + sample_times(last - first, n // len(parts))
        times[-1] = last
        t.append(times)
        V.append(part["Voltage [V]"](times))
        current.append(part["Current [A]"](times))
        index.append(np.full(times.size, i))
    return {
        "time_s": np.concatenate(t),
        "voltage_V": np.concatenate(V),
        "current_A": np.concatenate(current),
        "step": np.concatenate(index),
        "step_ends_s": np.array([part.t[-1] for part in parts]),
    }


def store(folder: Path, name: str, solution, mesh: Mesh, n: int, **extra):
    """Write one case with its provenance."""
    data = sampled(solution, n)
    charge = solution["Discharge capacity [A.h]"].data[-1]
    np.savez_compressed(
        folder / f"{name}.npz",
        **data,
        capacity_Ah=charge,
        end=str(solution.termination),
        tool="PyBaMM",
        version=pybamm.__version__,
        date=datetime.date.today().isoformat(),
        mesh=str(mesh),
        tolerances=f"IDAKLU, rtol {RTOL:g}, atol {ATOL:g}",
        **extra,
    )
    print(
        f"{name}: {data['time_s'].size} points to {data['time_s'][-1]:.3f} s, "
        f"{charge:.8g} A.h, {solution.termination}, "
        f"{solution.solve_time.value:.1f} s to solve",
        flush=True,
    )


def cases(folder: Path, refine: float) -> dict:
    """What to run, by name."""
    sodium, lithium = Mesh(refine), Mesh(refine)

    def sodium_discharge(name, density):
        model = pybamm.sodium_ion.BasicDFN()
        solution = discharge(
            model, chayambuka(), density * CHAYAMBUKA_AREA, 2.0, 9.0 / density, sodium
        )
        extra = dict(set="nvpf_hc_chayambuka2022", current_density_A_m2=density)
        store(folder, name, solution, sodium, 500, **extra)

    def lithium_discharge(name, text, rate):
        model = pybamm.lithium_ion.DFN()
        solution = discharge(model, chen(), 5.0 * rate, 2.5, 1.0 / rate, lithium)
        protocol = [f"Discharge at {text} until 2.5 V"]
        extra = dict(set="nmc811_chen2020", protocol=protocol)
        store(folder, name, solution, lithium, 500, **extra)

    def lithium_experiment(name, steps, start):
        values = chen()
        extra = {}
        for side, sto in start.items():
            c_max = values[f"Maximum concentration in {side} electrode [mol.m-3]"]
            values[f"Initial concentration in {side} electrode [mol.m-3]"] = sto * c_max
            extra[f"sto_{side}"] = sto
        model = pybamm.lithium_ion.DFN({"calculate discharge energy": "true"})
        solution = experiment(model, values, steps, lithium)
        extra |= dict(set="nmc811_chen2020", protocol=list(steps))
        store(folder, name, solution, lithium, 600, **extra)

    published = {"negative": 29866.0 / 33133.0, "positive": 17038.0 / 63104.0}
    runs = {}
    for name, density in CHAYAMBUKA_RATES.items():
        runs[f"chayambuka_{name}"] = (sodium_discharge, density)
    for name, (text, rate) in CHEN_DISCHARGES.items():
        runs[f"chen_{name}"] = (lithium_discharge, text, rate)
    runs["chen_cccv"] = (lithium_experiment, CCCV, CHEN_LOW)
    runs["chen_pulses"] = (lithium_experiment, PULSES, published)
    return runs


def main():
    """Make the cases named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("case", nargs="*")
    parser.add_argument("--refine", type=float, default=1.0, help="mesh, times this")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write")
    options = parser.parse_args()
    pybamm.settings.tolerances["reg_power"] = REG_POWER
    pybamm.settings.tolerances["D_e__c_e"] = 1e-2
    pybamm.settings.tolerances["kappa_e__c_e"] = 1e-2
    runs = cases(options.out, options.refine)
    for name in options.case or runs:
        run, *arguments = runs[name]
        run(name, *arguments)


if __name__ == "__main__":
    main()
