"""A sample of the cold grid through PyBaMM and through naion: who gets to the end?

    python -m benchmarks cold_grid_pybamm

Of the grid of `benchmarks.cold_grid`, what PyBaMM can express: isothermal runs. It gets
each cell as functions of its lithium DFN at one temperature, with default mesh and solver.
"""

import multiprocessing
import time
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.cases import SEED
from benchmarks.cold_grid import SETS, Lane, adapted, grid, of_lane, simulate
from benchmarks.harness import FAST, write
from naion._constants import F
from naion.parameters import Cell, load, stoichiometry_at_soc

COUNT = 10 if FAST else 100
"""Runs in the sample."""

PATIENCE = 60.0
"""Longest time for one run of PyBaMM [s]; beyond, it counts as failed."""

STO = np.concatenate([[-0.05], np.linspace(1e-4, 1.0 - 1e-4, 2000), [1.05]])
SALT = np.concatenate(
    [np.linspace(0.0, 100.0, 101)[:-1], np.linspace(100.0, 6000.0, 591)]
)


def values_of(cell: Cell, start, T: float, current: float):
    """PyBaMM's parameter values of a cell at one temperature."""
    import pybamm

    reference = float(cell.temperature)

    def of(prop, x):
        y = np.asarray(prop(jnp.asarray(x), jnp.asarray(T)))
        y = np.broadcast_to(y, x.shape).copy()
        return lambda argument, *rest: pybamm.Interpolant(x, y, argument)

    e = cell.electrolyte
    values = pybamm.ParameterValues("Chen2020")
    new = {
        "Electrode height [m]": 1.0,
        "Electrode width [m]": float(cell.area),
        "Nominal cell capacity [A.h]": float(cell.nominal_capacity),
        "Current function [A]": current,
        "Contact resistance [Ohm]": float(cell.contact_resistance(jnp.asarray(T), T)),
        "Reference temperature [K]": T,
        "Ambient temperature [K]": T,
        "Initial temperature [K]": T,
        "Lower voltage cut-off [V]": float(cell.limits.lower_voltage),
        "Upper voltage cut-off [V]": float(cell.limits.upper_voltage),
        "Initial concentration in electrolyte [mol.m-3]": float(e.concentration),
        "Electrolyte conductivity [S.m-1]": of(e.conductivity, SALT),
        "Electrolyte diffusivity [m2.s-1]": of(e.diffusivity, SALT),
        "Cation transference number": of(e.t_plus, SALT),
        "Thermodynamic factor": of(e.thermodynamic_factor, SALT),
        "Separator thickness [m]": float(cell.separator.thickness),
        "Separator porosity": float(cell.separator.porosity),
        "Separator Bruggeman coefficient (electrolyte)": _exponent(cell.separator),
    }
    for side, x in (("Negative", start.negative), ("Positive", start.positive)):
        part = getattr(cell, side.lower())
        p, name = part.particle, f"{side} electrode"
        c_max = float(p.c_max)
        shift = (T - reference) * np.asarray(p.dudt(jnp.asarray(STO), jnp.asarray(T)))
        U = np.asarray(p.ocp(jnp.asarray(STO), jnp.asarray(T))) + shift
        k_0 = of(p.rate_constant, STO)

        def exchange(c_e, c_s, c_s_max, T, k_0=k_0):
            sto = c_s / c_s_max
            sites = c_s**0.5 * (c_s_max - c_s) ** 0.5
            return F * k_0(sto) * (c_e / float(e.concentration)) ** 0.5 * sites

        new |= {
            f"{name} thickness [m]": float(part.thickness),
            f"{name} porosity": float(part.porosity),
            f"{name} active material volume fraction": float(part.active_fraction),
            f"{name} Bruggeman coefficient (electrolyte)": _exponent(part),
            f"{name} Bruggeman coefficient (electrode)": 0.0,
            f"{name} conductivity [S.m-1]": float(part.conductivity),
            f"{side} particle radius [m]": float(p.radius),
            f"Maximum concentration in {side.lower()} electrode [mol.m-3]": c_max,
            f"Initial concentration in {side.lower()} electrode [mol.m-3]": float(x)
            * c_max,
            f"{side} particle diffusivity [m2.s-1]": of(p.diffusivity, STO),
            f"{name} OCP [V]": lambda sto, U=U: pybamm.Interpolant(STO, U, sto),
            f"{name} OCP entropic change [V.K-1]": 0.0,
            f"{name} exchange-current density [A.m-2]": exchange,
        }
    values.update(new, check_already_exists=False)
    return values


def _exponent(part) -> float:
    return float(np.log(part.transport_efficiency) / np.log(part.porosity))


def attempt(values, hours: float) -> str:
    """How PyBaMM's run ended."""
    import pybamm

    model = pybamm.lithium_ion.DFN({"contact resistance": "true"})
    simulation = pybamm.Simulation(
        model, parameter_values=values, solver=pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6)
    )
    try:
        done = simulation.solve([0.0, 3600.0 * hours])
    except Exception as error:  # PyBaMM raises several kinds
        return f"failed: {type(error).__name__}"
    return "cut-off" if "event" in str(done.termination) else "time"


def _worker(pipe, arguments) -> None:
    na.enable_x64()
    import pybamm

    pybamm.set_logging_level("ERROR")
    name, lane, charge = arguments
    cell = of_lane(adapted(load(name)), Lane(*lane))
    start = stoichiometry_at_soc(cell, 0.0 if charge else 1.0)
    rate, T = float(lane[0]), float(lane[1])
    current = rate * float(cell.nominal_capacity) * (-1.0 if charge else 1.0)
    pipe.send(attempt(values_of(cell, start, T, current), 1.3 / rate))


def through_pybamm(name: str, lane: tuple, charge: bool) -> str:
    """In a process of its own: a crash or a run without end is a failure too."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_worker, args=(there, (name, lane, charge)))
    process.start()
    answered = here.poll(PATIENCE)
    answer = here.recv() if answered else f"failed: over {PATIENCE:g} s, or crashed"
    process.kill()
    process.join()
    return answer


def main() -> None:
    """Draw the sample, run it through both, write the table."""
    rng = np.random.default_rng(SEED)
    lanes = grid()
    every = [(s, i, c) for s in SETS for i in range(len(lanes.rate)) for c in (0, 1)]
    sample = [every[k] for k in rng.choice(len(every), COUNT, replace=False)]
    # PyBaMM first: its processes are forked, which must come before JAX's threads.
    theirs, seconds = {}, 0.0
    for name, i, charge in sample:
        began = time.perf_counter()
        lane = tuple(float(a[i]) for a in lanes)
        theirs[name, i, charge] = through_pybamm(name, lane, bool(charge))
        seconds += time.perf_counter() - began
    rows = []
    for name in SETS:
        cell = adapted(load(name))
        own = [(i, c) for s, i, c in sample if s == name]
        ours: Counter[str] = Counter()
        for charge in (0, 1):
            at = np.array([i for i, c in own if c == charge], int)
            if at.size:
                chosen = jax.tree.map(lambda a, at=at: a[at], lanes)
                model = na.DFN()
                outcome, *_ = simulate(cell, model, bool(charge), chosen, 5e-4)
                ours.update(na.Result(int(k)) for k in np.asarray(outcome))
        ended = Counter(theirs[name, i, c] for i, c in own)
        fine = sum(n for k, n in ended.items() if not k.startswith("failed"))
        physical = sum(n for k, n in ours.items() if k.is_physical)
        reasons = ", ".join(f"{k} {n}" for k, n in sorted(ended.items()))
        rows.append([name, str(len(own)), str(fine), reasons, str(physical)])
    total = [sum(int(r[k]) for r in rows) for k in (1, 2, 4)]
    rows.append(["all", str(total[0]), str(total[1]), "", str(total[2])])
    write(
        "cold_grid_pybamm",
        "A sample of the cold grid, through both",
        ["set", "runs", "PyBaMM ends well", "how PyBaMM ends", "naion ends well"],
        rows,
        f"{COUNT} isothermal runs drawn from the cold grid. PyBaMM: lithium DFN with the "
        f"cell's functions at the temperature of the run, default mesh, IDAKLU at 1e-4; "
        f"{seconds / COUNT:.1f} s a run with building. Ends well: at a cut-off, or naion "
        "with a physical reason. Default mesh and tolerance on both sides.",
    )
