"""The solver that does not fail: five sets from +25 to -40 degC, C/10 to 3C, both ways.

Every combination of set, temperature, rate, direction, heat balance, activation energy of
charge transfer and electrolyte law. Each run has to end at its cut-off or with a physical
reason; a random 5 % are run again at a tenth of the tolerance and have to agree.
"""

import itertools
import time
from collections import Counter
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.cases import SEED
from benchmarks.harness import FAST, write
from naion.batch import run
from naion.parameters import Cell, load, stoichiometry_at_soc
from naion.properties import VTF, Arrhenius, Invariant

SETS = (
    "nvpf_hc_chayambuka2022",
    "nfm_hc_18650",
    "nfm_hc_prismatic",
    "nfpp_hc_32140",
    "pw_hc_prismatic",
)
CELSIUS = (25.0, 0.0, -20.0, -30.0, -40.0)
RATES = (0.1, 1.0 / 3.0, 1.0, 3.0)
ENERGIES = (35e3, 50e3, 67e3, 80e3)
LAWS = {"EC:PC": 600.0, "low-temperature carbonate": 420.0, "ester or ether": 300.0}
"""Pseudo-energies of VTF laws with T_0 = 150 K [K]."""
MODELS = {"isothermal": na.Isothermal(), "self-heating": na.Lumped()}
RTOL = 2e-4
MAX_STEPS = 3000
"""Where the salt runs out in a moving part of an electrode, steps are short."""
SHARE = 0.05
"""Of the runs to repeat at RTOL / 10."""


class Lane(NamedTuple):
    """What differs between the runs of a batch."""

    rate: np.ndarray
    temperature: np.ndarray
    energy: np.ndarray
    pseudo_energy: np.ndarray


def grid() -> Lane:
    """All identifiability, one row each; the first temperature and law first."""
    kelvin = [c + 273.15 for c in CELSIUS]
    rows = itertools.product(RATES, kelvin, ENERGIES, LAWS.values())
    return Lane(*np.array(list(rows)).T)


def adapted(cell: Cell) -> Cell:
    """The set with a law of temperature for every process."""
    T = cell.temperature
    arrhenius = Arrhenius(jnp.asarray(30e3), T)
    vtf = VTF(jnp.asarray(420.0), jnp.asarray(150.0), T)

    def laws(c: Cell):
        found = [c.electrolyte.conductivity, c.electrolyte.diffusivity]
        for e in (c.negative, c.positive):
            found += [e.particle.diffusivity, e.particle.rate_constant]
        return [p.temperature for p in found]

    of_diffusivity = VTF(vtf.pseudo_energy, vtf.vogel, T, times_temperature=True)
    default = [vtf, of_diffusivity] + [arrhenius] * 4
    new = [
        d if isinstance(old, Invariant) else old
        for old, d in zip(laws(cell), default, strict=True)
    ]
    return eqx.tree_at(laws, cell, new, is_leaf=lambda x: isinstance(x, Invariant))


def of_lane(cell: Cell, lane: Lane) -> Cell:
    """The cell with a lane's activation energy and electrolyte."""

    def where(c: Cell):
        e = c.electrolyte
        return (
            c.negative.particle.rate_constant.temperature.energy,
            c.positive.particle.rate_constant.temperature.energy,
            e.conductivity.temperature.pseudo_energy,
            e.diffusivity.temperature.pseudo_energy,
        )

    new = (lane.energy, lane.energy, lane.pseudo_energy, lane.pseudo_energy)
    return eqx.tree_at(where, cell, new)


def simulate(cell: Cell, model: na.DFN, charge: bool, lanes: Lane, rtol: float):
    """Outcome, capacity [C-hours], mean voltage and final temperature of every lane."""
    start = stoichiometry_at_soc(cell, 0.0 if charge else 1.0)
    step = na.Protocol(
        f"Charge at 1C until {cell.limits.upper_voltage} V"
        if charge
        else f"Discharge at 1C until {cell.limits.lower_voltage} V"
    )

    def one(lane: Lane):
        protocol = eqx.tree_at(lambda p: p.value, step, step.value * lane.rate)
        s = na.simulate(
            of_lane(cell, lane),
            protocol,
            model=model,
            start=start,
            temperature=lane.temperature,
            rtol=rtol,
            max_steps=MAX_STEPS,
            throw=False,
        )
        used = s.capacity / cell.nominal_capacity
        return s.outcome, used, s.end.temperature, s.n_steps + s.n_rejected

    return run(one, jax.tree.map(np.asarray, lanes))


def main() -> None:
    """Run everything and write the table."""
    rng = np.random.default_rng(SEED)
    lanes = grid()
    if FAST:
        lanes = Lane(*(a[::17] for a in lanes))
    n = len(lanes.rate)
    counts: Counter[str] = Counter()
    numerical, repeated, disagree, worst, seconds = [], 0, 0, 0.0, 0.0
    rows = []
    for name, (thermal, heat), charge in itertools.product(
        SETS, MODELS.items(), (False, True)
    ):
        cell = adapted(load(name))
        model = na.DFN(thermal=heat)
        begin = time.perf_counter()
        outcome, used, hottest, attempts = simulate(cell, model, charge, lanes, RTOL)
        seconds += time.perf_counter() - begin
        results = [na.Result(int(k)) for k in outcome]
        counts.update(r.name.lower() for r in results)
        direction = "charge" if charge else "discharge"
        for k, r in enumerate(results):
            if not r.is_physical:
                at = Lane(*(float(a[k]) for a in lanes))
                numerical.append(f"{name}, {thermal}, {direction}, {at}: {r.name}")
        again = rng.choice(n, max(1, round(SHARE * n)), replace=False)
        part = Lane(*(a[again] for a in lanes))
        tight, tight_used, _, _ = simulate(cell, model, charge, part, RTOL / 10.0)
        for k, other, q in zip(again, tight, tight_used, strict=True):
            difference = abs(float(used[k] - q))
            same = int(outcome[k]) == int(other) and difference < 5e-3
            repeated += 1
            disagree += not same
            if not same:
                at = Lane(*(float(a[k]) for a in lanes))
                print(
                    "differs:", name, thermal, direction, at, float(used[k]), float(q)
                )
            worst = max(worst, difference)
        for law, pseudo in LAWS.items():
            here = (lanes.energy == 67e3) & (lanes.pseudo_energy == pseudo)
            for T in CELSIUS:
                at = here & (np.abs(lanes.temperature - T - 273.15) < 1e-6)
                order = np.argsort(lanes.rate[at])
                shares = [f"{100 * abs(q):.0f}" for q in used[at][order]]
                shares += ["-"] * (len(RATES) - len(shares))
                rows.append([name, direction, thermal, law, f"{T:g}", *shares])
        print(
            name, thermal, direction, dict(Counter(r.name for r in results)), flush=True
        )
    total = sum(counts.values())
    ends = ", ".join(f"{k} {v}" for k, v in counts.most_common())
    listed = "".join(f"\n- {line}" for line in numerical)
    write(
        "cold_grid",
        "Cold: does every simulation end, and why",
        ["set", "way", "heat", "electrolyte", "degC", "C/10", "C/3", "1C", "3C"],
        rows,
        f"Charge passed in per cent of nominal, for E_ct = 67 kJ/mol; starts at rest at "
        f"SOC 1 or 0, ends at the set's voltage limit. All {total} runs, E_ct of 35 to 80 "
        f"kJ/mol included: {ends}; {seconds:.0f} s with compiling. Repeated at a tenth of "
        f"the tolerance: {repeated}, of which {disagree} end otherwise or differ by more "
        f"than 0.5 % of nominal (largest difference {100 * worst:.2g} %). Where a set has "
        f"no law of temperature, E_D is 30 kJ/mol.{listed}",
        last=f"numerical failures: {len(numerical)}",
    )
