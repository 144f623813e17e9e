"""All shipped sets side by side: energy, rate, cold, fast charge, efficiency, heat.

    python -m benchmarks chemistries

Every number is a median over draws of the set's assumed numbers, with its 90 % interval;
published numbers are taken as they are. Nothing here is a fit of a cell.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, RESULTS, write
from naion.batch import run, stack
from naion.comparison import (
    COLD,
    RATES,
    charge,
    cycle,
    discharge,
    fastest,
    temperature_law,
)
from naion.fit import ensemble, uncertainty_of_set
from naion.parameters import ParameterSet, load_set

DRAWS = 4 if FAST else 24
MESH = na.Mesh(8, 4, 8, 20)
ZERO = 273.15

VOLUME = {
    "nfm_hc_18650": 0.0165,
    "lfp_aboutenergy": 0.0165,
    "nfpp_hc_32140": 0.121,
    "cfm_hc_32140": 0.121,
    "nfm_hc_prismatic": 2.55,
    "nmc811_chen2020": 0.0242,
}
"""Of the format, where the set is of a known one [L]: cylinders of 18 x 65 and 21 x 70 mm,
HiNa's 32140 as recorded by SINTEF, a prismatic can of 174 x 71.5 x 205 mm."""

LABORATORY = ("nvpf_hc_chayambuka2022",)
"""A coin of an electrode: its mass is no cell's."""

CHARGE_TEMPERATURES = (25.0, 0.0, -20.0)
CHARGE_RATES = np.geomspace(0.05, 8.0, 6 if FAST else 22)


def over(cells, values: np.ndarray, function: Callable) -> np.ndarray:
    """`function(cell, value)` for every draw and value: (draws, values, ...)."""
    draw, value = (
        a.ravel()
        for a in np.meshgrid(np.arange(DRAWS), np.arange(len(values)), indexing="ij")
    )
    lanes = jax.tree.map(lambda a: a[draw], cells), values[value]
    got = run(lambda lane: function(*lane), lanes)
    shape = DRAWS, len(values)
    return jax.tree.map(lambda a: np.asarray(a).reshape(*shape, *a.shape[1:]), got)


def interval(values: np.ndarray, digits: int = 0) -> str:
    """Median, and 90 % interval where it has a width."""
    values = np.asarray(values, float)
    known = values[np.isfinite(values)]
    if known.size < 0.5 * values.size:
        return (
            "none" if known.size == 0 else f"none in {np.sum(np.isnan(values))} draws"
        )
    low, middle, high = np.percentile(known, [5.0, 50.0, 95.0])
    text = [f"{x:.{digits}f}" for x in (low, middle, high)]
    return text[1] if text[0] == text[2] else f"{text[1]} ({text[0]}-{text[2]})"


def quality(found: ParameterSet) -> str:
    """How many numbers are measured or fitted, derived or stated, assumed."""
    of = Counter(p.quality for p in found.provenance)
    return f"{of['M'] + of['F']} / {of['D'] + of['S']} / {of['A']}"


class Answers(NamedTuple):
    """One set's numbers, each with a row for every draw."""

    found: ParameterSet
    rates: np.ndarray
    cold: np.ndarray
    charges: list[np.ndarray]
    cycle: np.ndarray
    mass: np.ndarray


def answers(name: str) -> Answers:
    """Simulate everything on all draws of a set."""
    found = load_set(name)
    drawn = ensemble(found.cell, uncertainty_of_set(found), DRAWS)
    cells = stack(drawn.cells)

    def energy(cell, condition):
        s = discharge(cell, condition[0], condition[1] + ZERO, MESH, na.Isothermal())
        return jnp.stack([s.energy, s.capacity])

    rates = np.array([[r, 25.0] for r in RATES])
    cold = np.array([[1.0 / 3.0, T] for T in COLD])
    conditions = np.concatenate([rates, cold])
    both = over(cells, conditions, energy)
    grid = np.array([[r, T] for T in CHARGE_TEMPERATURES for r in CHARGE_RATES])
    got = over(cells, grid, lambda c, x: charge(c, x[0], x[1] + ZERO, MESH))
    n = len(CHARGE_RATES)
    charges = [
        fastest(
            got.margin[:, k * n : (k + 1) * n],
            got.reached[:, k * n : (k + 1) * n],
            CHARGE_RATES,
        )
        for k in range(len(CHARGE_TEMPERATURES))
    ]
    turned = np.asarray(run(lambda c: cycle(c, MESH), cells))
    mass = np.array([float(c.thermal.mass) for c in drawn.cells])
    return Answers(
        found, both[:, : len(RATES)], both[:, len(RATES) :], charges, turned, mass
    )


def row(name: str, a: Answers) -> list[str]:
    """A line of the table."""
    energy = a.rates[:, 0, 0]
    laboratory = name in LABORATORY
    law = temperature_law(a.found.cell)
    return [
        name,
        quality(a.found),
        "-" if laboratory else interval(energy / a.mass),
        interval(energy / VOLUME[name]) if name in VOLUME else "-",
        interval(100.0 * a.rates[:, -1, 1] / a.rates[:, 0, 1]),
        *(
            interval(100.0 * a.cold[:, k, 0] / a.cold[:, 0, 0]) if law else "no law"
            for k in (1, 2, 3)
        ),
        *(
            interval(minutes) if law or T == 25.0 else "no law"
            for minutes, T in zip(a.charges, CHARGE_TEMPERATURES, strict=True)
        ),
        interval(100.0 * a.cycle[:, 0], 1),
        "-" if laboratory else interval(a.cycle[:, 1], 1),
    ]


def figure(everything: dict[str, Answers]) -> None:
    """Rate capability, and energy in the cold, of all sets."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = canvas.subplots(1, 2)
    for i, (name, a) in enumerate(everything.items()):
        for axes, x, y in (
            (left, RATES, 100.0 * a.rates[:, :, 1] / a.rates[:, :1, 1]),
            (right, COLD, 100.0 * a.cold[:, :, 0] / a.cold[:, :1, 0]),
        ):
            low, middle, high = np.percentile(y, [5.0, 50.0, 95.0], axis=0)
            style = dict(color=f"C{i}", label=name)
            na.plot.band(np.asarray(x), middle, low, high, axes, **style)
    left.set_xlabel("C-rate")
    left.set_ylabel("Capacity [% of C/3]")
    right.set_xlabel("Temperature [degC]")
    right.set_ylabel("Energy at C/3 [% of 25 degC]")
    right.legend(fontsize="xx-small")
    if not FAST:
        canvas.savefig(RESULTS / "chemistries.png", dpi=110)


def main() -> None:
    """Simulate all sets, write the table and the figure."""
    names = na.parameters.available()
    everything = {name: answers(name) for name in (names[:2] if FAST else names)}
    write(
        "chemistries",
        "Shipped sets side by side",
        [
            "set",
            "numbers measured or fitted / derived or stated / assumed",
            "W.h/kg at C/3",
            "W.h/L",
            "capacity at 3C, % of C/3",
            *(f"energy at {T:+.0f} degC, %" for T in COLD[1:]),
            *(f"10-80 % at {T:+.0f} degC, min" for T in CHARGE_TEMPERATURES),
            "1C efficiency, %",
            "warming at 1C, K",
        ],
        [row(name, a) for name, a in everything.items()],
        f"Medians of {DRAWS} draws of the assumed numbers, 90 % intervals in brackets. "
        "Energies isothermal, C/3, charged warm. 10-80 %: the fastest charge at constant "
        "current that reaches 80 % below the upper voltage and keeps the lowest "
        "phi_s - phi_e of the negative electrode above 0 V against its metal. Efficiency "
        'and warming: CC-CV cycle at 1C with a heat balance, 25 degC around it. "no law": '
        "the set's electrolyte has none in temperature. Masses are the sets' own.",
    )
    figure(everything)
