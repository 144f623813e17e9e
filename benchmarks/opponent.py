"""PyBaMM's side: its own parameter sets, as shipped, solved by IDAKLU."""

import numpy as np
import pybamm

from benchmarks.cases import Case, Settings

pybamm.set_logging_level("ERROR")


def parameter_values(case: Case, start=None) -> pybamm.ParameterValues:
    """PyBaMM's set; `start` sets stoichiometries (negative, positive).

    1C is naion's on both sides: the sodium sets differ in nominal capacity.
    """
    values = pybamm.ParameterValues(case.values)
    values["Nominal cell capacity [A.h]"] = float(case.cell().nominal_capacity)
    if start is not None:
        for side, x in zip(("negative", "positive"), start, strict=True):
            c_max = values[f"Maximum concentration in {side} electrode [mol.m-3]"]
            values[f"Initial concentration in {side} electrode [mol.m-3]"] = x * c_max
    return values


def simulation(
    case: Case, settings: Settings | None, values, experiment=None, on_failure="error"
) -> pybamm.Simulation:
    """A simulation; without settings, PyBaMM's default mesh, IDAKLU at rtol 1e-4.

    With `on_failure="ignore"`, cells of a batch that fail do not stop the others.
    """
    if case.name == "sodium":
        model = pybamm.sodium_ion.BasicDFN()
    else:
        model = pybamm.lithium_ion.DFN()
    rtol, atol = (1e-4, 1e-6) if settings is None else (settings.rtol, settings.atol)
    options = {}
    if settings is not None:
        sphere = pybamm.MeshGenerator(
            pybamm.Exponential1DSubMesh, {"side": "right", "stretch": settings.grading}
        )
        particles = {"negative particle": sphere, "positive particle": sphere}
        options["submesh_types"] = dict(model.default_submesh_types) | particles
        v, n = settings.volumes, settings.shells
        counts = (v, settings.separator, v, n, n)
        names = ("x_n", "x_s", "x_p", "r_n", "r_p")
        options["var_pts"] = dict(zip(names, counts, strict=True))
    return pybamm.Simulation(
        model,
        experiment=experiment,
        parameter_values=values,
        solver=pybamm.IDAKLUSolver(rtol=rtol, atol=atol, on_failure=on_failure),
        **options,
    )


def curve(
    solution, by: str = "charge", begin: float = 0.0, end: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Abscissa (charge passed [A.h], or time [s]) and voltage, between two times."""
    end = solution.t[-1] if end is None else end
    own = solution.t[(solution.t > begin) & (solution.t < end)]
    t = np.unique(np.concatenate([own, np.linspace(begin, end, 4000)]))
    V = solution["Voltage [V]"](t)
    if by == "time":
        return t, V
    I = solution["Current [A]"](t)
    steps = np.abs(0.5 * (I[1:] + I[:-1])) * np.diff(t) / 3600.0
    return np.concatenate([[0.0], np.cumsum(steps)]), V


def scaled(value, factor):
    """A parameter, a number or a function, times a factor."""
    if callable(value):
        return lambda *args: factor * value(*args)
    return factor * value
