"""All shipped sets side by side: energy, rate, cold, fast charge, efficiency, heat.

    python -m benchmarks chemistries

Every number is a median over draws of the set's assumed numbers, with its 90 % interval;
published numbers are taken as they are. Nothing here is a fit of a cell. A second table
says which differences between two sets the data behind them support.
"""

from collections import Counter
from collections.abc import Callable
from itertools import combinations
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


AT_25 = ("rate_constant", "diffusivity", "contact_resistance", "conductivity")
"""Words in names of numbers that carry resistance at one temperature."""

CARRIED_BY: dict[str, Callable[[str], bool]] = {
    "W.h/kg": lambda n: n.endswith((".ocp", ".c_max", ".thickness", ".mass")),
    "capacity at 3C": lambda n: _at_25(n, AT_25),
    **dict.fromkeys(
        [f"energy at {T:+.0f} degC" for T in COLD[1:]], lambda n: _in_cold(n)
    ),
    "charge at +25 degC": lambda n: (
        not n.startswith("positive.") and _at_25(n, AT_25[:2] + AT_25[3:])
    ),
    **dict.fromkeys(
        [f"charge at {T:+.0f} degC" for T in CHARGE_TEMPERATURES[1:]],
        lambda n: not n.startswith("positive.") and _in_cold(n),
    ),
    "efficiency": lambda n: _at_25(n, AT_25),
    "warming": lambda n: _at_25(n, AT_25) or n.startswith("thermal."),
}
"""By column, whether a number, by its name, is one that the column hangs on."""


def _at_25(name: str, words: tuple[str, ...]) -> bool:
    return ".temperature." not in name and any(word in name for word in words)


def _in_cold(name: str) -> bool:
    liquid = "electrolyte.conductivity", "electrolyte.diffusivity"
    return ".temperature." in name or name in liquid


def own(found: ParameterSet, column: str) -> tuple[int, int, int]:
    """Of the numbers that a column hangs on: known ones, those assumed alike, and all."""
    carriers = [p for p in found.provenance if CARRIED_BY[column](p.name)]
    known = sum(p.quality != "A" for p in carriers)
    return known, sum(p.same_in_all for p in carriers), len(carriers)


def columns(name: str, a: Answers) -> dict[str, np.ndarray | None]:
    """Draws of every column; none where a set has no such number."""
    law, real = temperature_law(a.found.cell), name not in LABORATORY
    minutes = [np.where(np.isnan(m), np.inf, m) for m in a.charges]
    values = [a.rates[:, 0, 0] / a.mass if real else None]
    values.append(100.0 * a.rates[:, -1, 1] / a.rates[:, 0, 1])
    values += [
        100.0 * a.cold[:, k, 0] / a.cold[:, 0, 0] if law else None for k in (1, 2, 3)
    ]
    values += [
        m if law or T == 25.0 else None
        for m, T in zip(minutes, CHARGE_TEMPERATURES, strict=True)
    ]
    values += [100.0 * a.cycle[:, 0], a.cycle[:, 1] if real else None]
    return dict(zip(CARRIED_BY, values, strict=True))


def apart(first: np.ndarray, second: np.ndarray) -> tuple[float, bool]:
    """Median of a difference, and whether its 90 % interval leaves zero out.

    Draws of two sets are independent, those of what both assume alike too: nobody knows
    that two chemistries share it. So every draw is compared with every other.
    """
    with np.errstate(invalid="ignore"):  # neither charges: no difference
        every = np.subtract.outer(first, second).ravel()
    every = every[~np.isnan(every)]
    if every.size < 0.5 * first.size * second.size:
        return float("nan"), False
    # No interpolation: it makes no number of two infinities.
    low, middle, high = np.percentile(every, [5.0, 50.0, 95.0], method="nearest")
    return float(middle), bool(low > 0.0 or high < 0.0)


def support(one: tuple[str, Answers], other: tuple[str, Answers], column: str) -> str:
    """The difference in a column and what is behind it."""
    first, second = (columns(*c)[column] for c in (one, other))
    if first is None or second is None:
        return "no law" if "degC" in column else "no cell"
    middle, significant = apart(first, second)
    if not significant:
        return "-"
    counts = [own(c[1].found, column) for c in (one, other)]
    if all(2 * known >= total for known, _, total in counts):
        word = "data"
    elif any(known for known, _, _ in counts):
        word = "in part"
    else:
        alike = all(same == total for _, same, total in counts)
        word = "alike" if alike else "assumed"
    basis = ", ".join(f"{known} of {total}" for known, _, total in counts)
    size = f"{middle:+.3g}" if np.isfinite(middle) else f"{middle:+.0f}"
    return f"{word}: {size} ({basis})"


def differences(everything: dict[str, Answers]) -> list[list[str]]:
    """A row for every pair of sets, a column for every quantity."""
    return [
        [f"{a} - {b}"]
        + [support((a, everything[a]), (b, everything[b]), c) for c in CARRIED_BY]
        for a, b in combinations(everything, 2)
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
    units = ["W.h/kg", "%", *["%"] * 3, *["min"] * 3, "%", "K"]
    write(
        "chemistries_differences",
        "Which differences between sets data support",
        [
            "first - second",
            *(f"{c}, {u}" for c, u in zip(CARRIED_BY, units, strict=True)),
        ],
        differences(everything),
        f"Differences of the medians of {DRAWS} draws whose 90 % interval leaves zero "
        "out; all other are a dash. Sets are drawn independently, also what both assume "
        "alike. In brackets: how many of the numbers that the column hangs on are "
        "measured, stated, derived or fitted in the first and in the second set. Data: "
        "half of them or more in both. In part: some. Assumed: none. Alike: none, and "
        "all are one assumption for all sets (`same_in_all`): then the difference is of "
        "geometry and balance, and says nothing of chemistry. Cold columns hang on "
        "activation energies and the liquid. Infinite minutes: it cannot charge so "
        "without plating.",
    )
    figure(everything)
