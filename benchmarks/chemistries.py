"""All shipped sets side by side: energy, rate, cold, fast charge, efficiency, heat.

    python -m benchmarks chemistries

Every number is a median over draws of the set's assumed numbers, with its 90 % interval;
published numbers are taken as they are. Nothing here is a fit of a cell.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, RESULTS, write
from naion.batch import run, stack
from naion.fit import ensemble, uncertainty_of_set
from naion.parameters import ParameterSet, load_set
from naion.properties import Invariant

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
COLD = (25.0, 0.0, -20.0, -40.0)
RATES = (1.0 / 3.0, 1.0, 2.0, 3.0)


class Charge(NamedTuple):
    """A constant-current charge: its lowest plating margin [V], and whether it got there."""

    margin: jax.Array
    reached: jax.Array


def discharge(cell, rate, T, thermal):
    """To the lower limit, from full."""
    protocol = eqx.tree_at(
        lambda p: (p.value, p.lower_voltage),
        na.Protocol("Discharge at 1C until 1 V"),
        (rate[None], cell.limits.lower_voltage[None]),
    )
    model = na.DFN(MESH, thermal)
    return na.simulate(cell, protocol, model=model, temperature=T, throw=False)


def charge(cell, rate, T) -> Charge:
    """From 10 % of the state of charge to 80 %, or to the upper limit."""
    capacity = full_capacity(cell)
    protocol = eqx.tree_at(
        lambda p: (p.value, p.capacity),
        na.Protocol(na.Step(na.Mode.CURRENT, -1.0, in_c_rate=True, duration=1e6)),
        (-rate[None], 0.7 * capacity[None]),
    )
    model = na.DFN(MESH)
    s = na.simulate(cell, protocol, model=model, start=0.1, temperature=T, throw=False)
    return Charge(jnp.min(s.plating_margin), -s.capacity > 0.699 * capacity)


def full_capacity(cell):
    """Between the equilibrium states of both voltage limits [A.h]."""
    full, empty = (na.parameters.stoichiometry_at_soc(cell, x) for x in (1.0, 0.0))
    Q_n, _ = na.parameters.electrode_capacities(cell)
    return (full.negative - empty.negative) * Q_n


def cycle(cell):
    """1C out and in with a hold, at 25 degC: energy efficiency, and warming [K].

    The model has no side reactions here, so the efficiency is that of the voltage.
    """
    lower, upper = cell.limits.lower_voltage, cell.limits.upper_voltage
    protocol = na.Protocol(
        [
            na.Step(na.Mode.CURRENT, 1.0, in_c_rate=True, lower_voltage=1.0),
            na.Step(na.Mode.CURRENT, -1.0, in_c_rate=True, upper_voltage=4.0),
            na.Step(na.Mode.VOLTAGE, 4.0, c_rate_below=0.05, duration=2e4),
        ]
    )
    protocol = eqx.tree_at(
        lambda p: (p.lower_voltage, p.upper_voltage, p.value),
        protocol,
        (
            protocol.lower_voltage.at[0].set(lower),
            protocol.upper_voltage.at[1].set(upper),
            protocol.value.at[2].set(upper),
        ),
    )
    model = na.DFN(MESH, na.Lumped())
    s = na.simulate(cell, protocol, model=model, temperature=298.15, throw=False)
    at = s.at(jnp.stack([s.began(1), s.began(2)]))
    out, turned = at.energy[0], s.energy * 3600.0
    # The charge goes on to a small current, beyond where the discharge began, or ends
    # before: mean voltages are compared, at a coulombic efficiency of one.
    given, taken = at.charge[0], at.charge[0] - s.capacity * 3600.0
    warming = jnp.max(s.temperature) - 298.15
    return jnp.stack([(out / given) / ((out - turned) / taken), warming])


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


def fastest(margins: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Minutes of the fastest 10 to 80 % charge of each draw without plating; NaN if none.

    The rate at which the margin is zero is interpolated between those simulated.
    """
    minutes = np.full(len(margins), np.nan)
    for i, (margin, there) in enumerate(zip(margins, reached, strict=True)):
        good = (margin >= 0.0) & there
        if not good[0]:
            continue
        k = int(np.argmin(good)) if not good.all() else len(good)
        rate = CHARGE_RATES[k - 1]
        if k < len(good) and margin[k] < 0.0:
            share = margin[k - 1] / (margin[k - 1] - margin[k])
            rate = rate * (CHARGE_RATES[k] / rate) ** share
        minutes[i] = 60.0 * 0.7 / rate
    return minutes


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
        s = discharge(cell, condition[0], condition[1] + ZERO, na.Isothermal())
        return jnp.stack([s.energy, s.capacity])

    rates = np.array([[r, 25.0] for r in RATES])
    cold = np.array([[1.0 / 3.0, T] for T in COLD])
    conditions = np.concatenate([rates, cold])
    both = over(cells, conditions, energy)
    grid = np.array([[r, T] for T in CHARGE_TEMPERATURES for r in CHARGE_RATES])
    got = over(cells, grid, lambda c, x: charge(c, x[0], x[1] + ZERO))
    n = len(CHARGE_RATES)
    charges = [
        fastest(got.margin[:, k * n : (k + 1) * n], got.reached[:, k * n : (k + 1) * n])
        for k in range(len(CHARGE_TEMPERATURES))
    ]
    turned = np.asarray(run(cycle, cells))
    mass = np.array([float(c.thermal.mass) for c in drawn.cells])
    return Answers(
        found, both[:, : len(RATES)], both[:, len(RATES) :], charges, turned, mass
    )


def row(name: str, a: Answers) -> list[str]:
    """A line of the table."""
    energy = a.rates[:, 0, 0]
    laboratory = name in LABORATORY
    conductivity = a.found.cell.electrolyte.conductivity
    law = not isinstance(conductivity.temperature, Invariant)
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
