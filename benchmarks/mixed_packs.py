"""Sodium and LFP cells in one pack: energy and power in the cold, gauge, mismatch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from naion._constants import ZERO_CELSIUS
from naion.parameters import Cell, open_circuit_voltage, stoichiometry_at_soc

MODEL = na.DFN(na.Mesh(6, 3, 6, 16), na.Lumped())
TEMPERATURES = (25.0, -20.0) if FAST else (25.0, 0.0, -20.0, -40.0)
CELLS = 6
DROP = 0.15
"""How far below rest the voltage is held for the power."""


def cells() -> tuple[Cell, Cell]:
    """A sodium and an LFP cell of the same nominal capacity, of large prismatic designs."""
    fitted, _, _ = na.claims.shipped_cell()
    lithium, sodium = (
        na.design.load(design).design().build(materials)
        for design, materials in (
            ("lfp_prismatic", na.parameters.load("lfp_aboutenergy")),
            ("nfm_prismatic", fitted),
        )
    )
    k = lithium.nominal_capacity / sodium.nominal_capacity

    def numbers(c: Cell):
        return (
            c.area,
            c.nominal_capacity,
            c.thermal.mass,
            c.thermal.cooling,
            c.contact_resistance.scale,
        )

    area, _, mass, cooling, resistance = numbers(sodium)
    scaled = k * area, lithium.nominal_capacity, k * mass, k * cooling, resistance / k
    return eqx.tree_at(numbers, sodium, scaled), lithium


def energy(pack, T: float, **options) -> tuple[float, str]:
    """Energy at C/3 over the mass of the cells [W.h.kg-1], and what ended it."""
    step = options.pop("step", "Discharge at C/3")
    done = na.pack.simulate(
        pack, step, model=MODEL, temperature=T + ZERO_CELSIUS, throw=False, **options
    ).whole
    return float(done.energy / pack.mass), done.result.name.lower()


def power(pack, T: float) -> float:
    """After 10 s at a voltage below rest, half charged, over the mass [W.kg-1]."""
    kelvin = T + ZERO_CELSIUS
    options = {"model": MODEL, "temperature": kelvin, "start": 0.5, "throw": False}
    rest = na.pack.simulate(pack, "Rest for 1 s", **options).whole
    V = (1.0 - DROP) * float(rest.voltage[-1])
    done = na.pack.simulate(pack, f"Hold at {V:.6f} V for 10 s", **options).whole
    if not done.result.is_success or float(done.t_end) < 9.99:
        return float("nan")
    return float(done.voltage[-1] * done.current[-1] / pack.mass)


def rows_of_mixes(sodium: Cell, lithium: Cell) -> list[list[str]]:
    """Every ratio in series; both as strings of their own behind converters."""
    rows = []
    ratios = (0, 3, 6) if FAST else (0, 1, 2, 3, 4, 6)
    for n in ratios:
        pack = na.pack.build([[sodium] * n + [lithium] * (CELLS - n)])
        label = f"{n} sodium, {CELLS - n} LFP in series"
        rows.append([label, *(_cell(pack, T) for T in TEMPERATURES)])
    masses = np.array([float(c.thermal.mass) for c in (sodium, lithium)])
    for part in () if FAST else (0.33, 0.5, 0.67):
        area = part / masses[0], (1.0 - part) / masses[1]
        strings = [[_sized(c, k)] for c, k in zip((sodium, lithium), area, strict=True)]
        bare = na.pack.build(strings)
        total = sum(
            float(s[0].nominal_capacity) * V
            for s, V in zip(strings, (3.0, 3.2), strict=True)
        )
        watts = total / 3.0
        found = []
        for T in TEMPERATURES:
            # A controller that knows what each string can give: shares by energy.
            alone = [
                energy(na.pack.build([s]), T)[0] * float(s[0].thermal.mass)
                for s in strings
            ]
            share = jnp.asarray(alone) / sum(alone)
            wired = eqx.tree_at(
                lambda p: p.converters,
                bare,
                na.pack.Converters(
                    share,
                    jnp.asarray(400.0),
                    jnp.asarray(0.0),
                    jnp.asarray(0.03 / watts),
                ),
                is_leaf=lambda x: x is None,
            )
            got, _ = energy(wired, T, step=f"Discharge at {watts:.4f} W")
            found.append(f"{got:.0f}")
        rows.append([f"strings behind converters, {100 * part:.0f} % sodium", *found])
    return rows


def _cell(pack, T: float) -> str:
    P = power(pack, T)
    return f"{energy(pack, T)[0]:.0f}, {'-' if np.isnan(P) else f'{P:.0f}'}"


def _sized(cell: Cell, k: float) -> Cell:
    def numbers(c: Cell):
        return c.area, c.nominal_capacity, c.thermal.mass, c.thermal.cooling

    sized = eqx.tree_at(numbers, cell, tuple(k * x for x in numbers(cell)))
    return eqx.tree_at(
        lambda c: c.contact_resistance.scale, sized, cell.contact_resistance.scale / k
    )


def rows_of_gauge(sodium: Cell, lithium: Cell) -> list[list[str]]:
    """State of charge within which 20 mV of rested voltage leave each cell [%]."""
    soc = jnp.linspace(0.1, 0.9, 9)

    def slope(cell: Cell):
        def ocv(s):
            at = stoichiometry_at_soc(cell, s)
            return open_circuit_voltage(cell, at, cell.temperature)

        return np.asarray(jax.vmap(jax.grad(ocv))(soc))

    left = [2.0 / slope(cell) for cell in (lithium, sodium)]
    return [
        [f"gauge at {100 * s:.0f} %", f"LFP {a:.1f} %, sodium {b:.1f} %"]
        + [""] * (len(TEMPERATURES) - 1)
        for s, a, b in zip(soc, *left, strict=True)
    ]


def rows_of_mismatch(sodium: Cell) -> list[list[str]]:
    """One smaller cell in a series."""
    even = energy(na.pack.build([[sodium] * CELLS]), 25.0)[0]
    rows = []
    for less in (0.02, 0.05, 0.1):
        weak = eqx.tree_at(lambda c: c.area, sodium, (1.0 - less) * sodium.area)
        pack = na.pack.build([[sodium] * (CELLS - 1) + [weak]])
        lost = 100.0 * (1.0 - energy(pack, 25.0)[0] / even)
        text = f"{lost:.1f} % of the energy"
        label = f"one of {CELLS} cells {100 * less:.0f} % smaller"
        rows.append([label, text] + [""] * (len(TEMPERATURES) - 1))
    return rows


def main() -> None:
    """All questions, one table."""
    sodium, lithium = cells()
    rows = rows_of_mixes(sodium, lithium)
    rows += rows_of_gauge(sodium, lithium) + rows_of_mismatch(sodium)
    write(
        "mixed_packs",
        "Sodium and LFP cells in one pack",
        ["pack", *(f"{T:+.0f} degC" for T in TEMPERATURES)],
        rows,
        "Wh/kg of cells at C/3 until the first cell is at its limit, charged warm; W/kg "
        f"after 10 s at {100 * DROP:.0f} % below rest, half charged (-: a cell reached its "
        "limit first). Fitted layered oxide and About:Energy's LFP, in large prismatic "
        "designs of the same capacity, each cell with its own heat. Converters lose 3 % at "
        "C/3; their shares are by what each string can give. Gauge: what 20 mV of rested "
        "voltage leave open of the state of charge.",
    )
