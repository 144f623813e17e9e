"""How near half cells are to PyBaMM's half-cell DFN, and what the metal's thickness costs.

Every half-cell set that PyBaMM ships, imported by `naion.io.from_pybamm`, at several rates:
voltage, and potential of the working electrode against a reference in the middle of the
separator. Both sides on fine meshes, so that the equations are compared.
"""

import dataclasses
import warnings
from types import ModuleType
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from naion.io import from_pybamm
from naion.parameters import Cell, Stoichiometry, metal_electrode

CASES = {
    "Xu2019": (0.1, 0.5, 1.0, 3.0),
    "Ecker2015_graphite_halfcell": (0.1, 0.5, 1.0),
    "OKane2022_graphite_SiOx_halfcell": (0.1, 0.5),
}
"""Sets, and rates of discharge, which fills the working electrode."""

MESH = na.Mesh(2, 10, 20, 40)
POINTS = {"x_n": 20, "x_s": 20, "x_p": 40, "r_n": 20, "r_p": 80}

EMPTY = 0.05
"""Stoichiometry from where graphite is filled; sets have it full."""

COMPARED = 300
"""Times, evenly spaced over the shorter of both discharges but its last half per cent."""


class Compared(NamedTuple):
    """RMSE and largest difference of the voltage, and RMSE of the potential [mV]."""

    voltage: float
    largest: float
    potential: float
    points: int


def imported(pybamm: ModuleType, name: str) -> tuple[Cell, object, Stoichiometry]:
    """A set as a half cell and as PyBaMM has it, and where both start."""
    values = pybamm.ParameterValues(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", na.Caution)
        half = from_pybamm(values)
    x = float(half.published.positive)
    if x > 0.5:
        x, c_max = EMPTY, float(half.positive.particle.c_max)
        key = "Initial concentration in positive electrode [mol.m-3]"
        values[key] = EMPTY * c_max
    return half, values, Stoichiometry(jnp.asarray(0.5), jnp.asarray(x))


def compared(
    pybamm: ModuleType, name: str, rate: float, thickness: float | None = None
) -> Compared:
    """A discharge of both.

    Args:
        pybamm: the package.
        name: of a half-cell set.
        rate: of discharge [1/h].
        thickness: of the metal's layer [m]; none: the usual one.
    """
    half, values, start = imported(pybamm, name)
    if thickness is not None:
        half = with_thickness(half, thickness)
    model = pybamm.lithium_ion.DFN({"working electrode": "positive"})
    model.insert_reference_electrode()
    theirs = pybamm.Simulation(
        model,
        parameter_values=values,
        C_rate=rate,
        var_pts=POINTS,
        solver=pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8),
    ).solve([0, 3600 / rate])
    ours = na.simulate(
        half,
        f"Discharge at {rate}C",
        model=na.DFN(MESH),
        start=start,
        rtol=1e-6,
    )
    end = 0.995 * min(float(theirs["Time [s]"].entries[-1]), float(ours.t_end))
    t = np.linspace(1.0, end, COMPARED)
    at = ours.at(jnp.asarray(t))
    off = 1e3 * (np.asarray(at.voltage) - theirs["Voltage [V]"](t))
    apart = theirs["Positive electrode 3E potential [V]"](t)
    apart = 1e3 * (np.asarray(at.positive_potential) - apart)
    rms = (float(np.sqrt(np.mean(d**2))) for d in (off, apart))
    voltage, potential = rms
    return Compared(voltage, float(np.abs(off).max()), potential, int(at.voltage.size))


def with_thickness(half: Cell, thickness: float) -> Cell:
    """A half cell whose metal is a layer of another thickness, with as much surface."""
    metal = metal_electrode(half.positive, half.negative.kinetics)
    share = thickness / metal.thickness
    particle = dataclasses.replace(
        metal.particle,
        radius=metal.particle.radius * share,
        c_max=metal.particle.c_max / share,
    )
    metal = dataclasses.replace(
        metal, thickness=jnp.asarray(thickness), particle=particle
    )
    return dataclasses.replace(half, negative=metal)


def main() -> None:
    """Compare and write the table."""
    import pybamm

    rows = []
    for name, rates in CASES.items():
        for rate in rates[:1] if FAST else rates:
            found = compared(pybamm, name, rate)
            rows.append([name, f"{rate:g}C", "10 nm", *_shown(found)])
    if not FAST:
        for thickness in (1e-7, 1e-6):
            found = compared(pybamm, "Xu2019", 3.0, thickness)
            rows.append(["Xu2019", "3C", f"{1e9 * thickness:g} nm", *_shown(found)])
    header = ["set", "rate", "metal", "voltage RMSE", "largest", "potential RMSE"]
    notes = (
        "mV from PyBaMM's half-cell DFN, naion on 10 / 20 volumes and 40 shells, PyBaMM on "
        "20 / 40 and 80 at rtol 1e-7; discharges, which fill the working electrode, in "
        f"{COMPARED} places up to 99.5 % of the shorter. Metal: thickness of the layer that "
        "stands for it."
    )
    write("half_cells", "Half cells beside PyBaMM", header, rows, notes)


def _shown(found: Compared) -> list[str]:
    return [f"{x:.3f}" for x in (found.voltage, found.largest, found.potential)]
