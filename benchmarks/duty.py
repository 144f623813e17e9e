"""Sodium sets against a lithium set under every duty, from +35 to -30 degC.

    python -m benchmarks duty

Each set with its own numbers, and at -20 degC with the activation energies that have a range
at both ends of it, assumed or fitted: a difference between two chemistries that does not
hold at all ends is not known. A month of the car in full beside representative days.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, RESULTS, write
from naion.duty import (
    CLIMATES,
    TEMPERATURES,
    Served,
    duties,
    in_full,
    load,
    of_days,
    ready,
    representative,
    serve,
)
from naion.parameters import Cell, cautions, leaf, load_set

LITHIUM = "lfp_aboutenergy"
SODIUM = ("nfm_hc_18650", "nfm_hc_prismatic", "nfpp_hc_32140", "pw_hc_prismatic")
ENERGY = ".temperature.energy"
COLD = -20.0
CLEAR = 0.5
"""Points of energy missed that are a difference."""

ZERO = 273.15
MESH = na.Mesh(6, 3, 6, 12)


class Of(NamedTuple):
    """A set under a duty.

    Attributes:
        served: by temperature.
        ends: at `COLD`, with activation energies at the kind and at the hard end.
    """

    served: dict[float, Served]
    ends: tuple[Served, Served]


def ends_of(name: str) -> tuple[Cell, Cell]:
    """A set with activation energies of its ranges: the least, and the greatest."""
    found = load_set(name)
    known = [p for p in found.provenance if p.name.endswith(ENERGY) and p.range]
    if not known:
        return found.cell, found.cell

    def moved(pick) -> Cell:
        values = [jnp.asarray(pick(p.range, key=abs)) for p in known]
        return eqx.tree_at(
            lambda c: [leaf(c, p.name) for p in known], found.cell, values
        )

    return moved(min), moved(max)


def shared(name: str, others: tuple[str, ...]) -> str:
    """How a set's activation energies are known, and with which sets it shares them."""

    def of(n: str) -> dict[str, tuple[str, float]]:
        return {
            p.name: (p.quality, float(p.value))
            for p in load_set(n).provenance
            if p.name.endswith(ENERGY)
        }

    own = of(name)
    assumed = [k for k, (quality, _) in own.items() if quality == "A"]
    alike = [n for n in others if n != name and assumed and shares(own, of(n), assumed)]
    word = f"{len(assumed)} of {len(own)} assumed" if own else "none in the set"
    return f"{word}, the same in {', '.join(alike)}" if alike else word


def shares(own: dict, other: dict, names: list[str]) -> bool:
    """Whether another set has the same values for all of these."""
    return all(k in other and other[k][1] == own[k][1] for k in names)


def rests(own: Of, lithium: Of) -> str:
    """Whether the difference in energy missed at `COLD` holds at all ends."""
    a = [100.0 * s.missed for s in (own.served[COLD], *own.ends)]
    b = [100.0 * s.missed for s in (lithium.served[COLD], *lithium.ends)]
    if max(*a, *b) < CLEAR:
        return "no difference in what is missed"
    if max(a) + CLEAR < min(b):
        return "less missed at every end"
    if min(a) > max(b) + CLEAR:
        return "more missed at every end"
    return "rests on uncertain activation energies"


def row(duty: str, name: str, of: Of, lithium: Of) -> list[str]:
    """A line of the table."""

    def each(function, form: str) -> str:
        return " / ".join(form.format(function(s)) for s in of.served.values())

    def missed(s: Served) -> float:
        return max(100.0 * s.missed, 0.0)

    low, high = sorted(missed(s) for s in of.ends)
    return [
        duty,
        name,
        each(lambda s: s.given / 3.6e6, "{:.3g}"),
        each(missed, "{:.1f}"),
        f"{low:.1f} to {high:.1f}",
        each(lambda s: max(100.0 * s.refused, 0.0), "{:.1f}"),
        each(lambda s: 100.0 * s.efficiency, "{:.1f}"),
        each(lambda s: s.peak_temperature - ZERO, "{:.0f}"),
        each(lambda s: 1e3 * s.margin, "{:.0f}"),
        "-" if name == LITHIUM else rests(of, lithium),
    ]


def month(name: str) -> str:
    """Representative days against all days of a January, as a sentence."""
    own = ready(na.load(name), na.DFN(MESH, na.Lumped()))
    T = CLIMATES["harbin"].days(1)[: 4 if FAST else None]
    full = in_full(own, "car", T)
    texts = []
    for count in (1, 2) if FAST else (1, 3, 6):
        few = of_days(own, "car", representative(T, count))

        def error(key: str, few=few) -> float:
            whole = getattr(full, key)
            return 100.0 * (getattr(few, key) / whole - 1.0)

        texts.append(
            f"with {count}, {error('given'):+.2f} % of the energy delivered, "
            f"{error('taken'):+.2f} % of that charged, "
            f"{100.0 * (few.missed - full.missed):+.2f} points of what is missed, "
            f"{100.0 * (few.efficiency - full.efficiency):+.2f} points of efficiency"
        )
    return (
        f"{name}: a January in Harbin (assumed temperatures) of {full.days:g} days of the "
        f"car in full delivers {full.given / 3.6e6:.1f} kWh, misses "
        f"{100.0 * full.missed:.2f} %, at {100.0 * full.efficiency:.1f} % efficiency; "
        f"representative days err, {'; '.join(texts)}."
    )


def figure(found: dict[str, dict[str, Of]]) -> None:
    """Energy missed and efficiency over temperature, a panel a duty."""
    from matplotlib.figure import Figure

    canvas = Figure(figsize=(11.0, 5.0), layout="constrained")
    panels = canvas.subplots(2, len(found), sharex=True, sharey="row", squeeze=False)
    for column, (duty, sets) in zip(panels.T, found.items(), strict=True):
        for i, (name, of) in enumerate(sets.items()):
            T = list(of.served)
            for axes, values in (
                (column[0], [100.0 * s.missed for s in of.served.values()]),
                (column[1], [100.0 * s.efficiency for s in of.served.values()]),
            ):
                axes.plot(T, values, ".-", color=f"C{i}", label=name)
            ends = [100.0 * s.missed for s in of.ends]
            column[0].vlines(COLD + 0.8 * i, *sorted(ends), color=f"C{i}")
        column[0].set_title(duty)
        column[1].set_xlabel("degC")
    panels[0, 0].set_ylabel("Energy missed [%]")
    panels[1, 0].set_ylabel("Efficiency [%]")
    panels[1, -1].legend(fontsize="xx-small")
    if not FAST:
        canvas.savefig(RESULTS / "duty.png", dpi=110)


def main() -> None:
    """Simulate all, write the table and the figure."""
    names = (LITHIUM, *SODIUM[: 1 if FAST else None])
    asked = ("start",) if FAST else duties()
    temperatures = (25.0, COLD) if FAST else TEMPERATURES
    found: dict[str, dict[str, Of]] = {duty: {} for duty in asked}
    model = na.DFN(MESH, na.Lumped())
    for name in names:
        own = ready(na.load(name), model)
        kind, hard = (ready(c, model) for c in ends_of(name))
        for duty in asked:
            served = {T: serve(own, load(duty, T + ZERO)) for T in temperatures}
            cold = load(duty, COLD + ZERO)
            found[duty][name] = Of(served, (serve(kind, cold), serve(hard, cold)))
            print(name, duty, flush=True)
    months = " ".join(month(name) for name in names[: 1 if FAST else 2])
    measured = " ".join(cautions(load_set(LITHIUM).cell, ZERO + COLD, ZERO + COLD))
    how = "; ".join(f"{name}: {shared(name, names)}" for name in names)
    failed = sum(
        not np.isfinite(s.given)
        for sets in found.values()
        for of in sets.values()
        for s in (*of.served.values(), *of.ends)
    )
    at = " / ".join(f"{T:+.0f}" for T in temperatures)
    write(
        "duty",
        "Chemistries under duties",
        [
            "duty",
            "set",
            f"kWh delivered at {at} degC",
            "energy missed, %",
            f"at {COLD:+.0f} degC with uncertain activation energies at both ends, %",
            "charge refused, %",
            "cell efficiency, %",
            "peak, degC",
            "lowest plating margin, mV",
            f"against {LITHIUM} at {COLD:+.0f} degC",
        ],
        [
            row(duty, name, of, sets[LITHIUM])
            for duty, sets in found.items()
            for name, of in sets.items()
        ],
        "Batteries of equal rated energy, all cells alike, each with the heat exchange of "
        "its set's own single cell; soaked at the temperature. Five numbers in a column "
        f"are {at} degC. Powers are cut at the limits of voltage and counted as missed; a "
        "shutdown of the battery's management is not simulated. Below zero the margin says "
        "that metal can plate. Vehicles, weather and systems are those of `naion duty NAME`, "
        "most of their numbers assumed. Activation energies decide the cold, and most sodium "
        f"sets share assumed ones: {how}. {LITHIUM}: {measured} So differences between "
        "these sodium sets in the cold come from geometry, capacities and voltages, and hold "
        "no measurement of chemistry; the last column says what of the difference to "
        "lithium survives when activation energies with ranges are moved to both ends (other "
        f"assumed numbers stay). {failed} simulations failed. {months}",
    )
    figure(found)
