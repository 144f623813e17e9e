"""Does a change of naion change its numbers? Every set, part, pack, fit and claim.

`python -m benchmarks equality --write before.json` keeps them,
`python -m benchmarks equality --against before.json` compares: simulations to 1e-9, costs
of fits to 1e-6, fitted numbers to 0.01 of their standard deviations, probabilities of
claims to 0.2 points. `--only simulations` and so on take a part of it.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import naion as na
from naion import demo, parameters
from naion.fit import least_squares

CYCLE = ("Discharge at 1C", "Charge at C/2", "Rest for 20 minutes", "Discharge at C/3")
PARTS: dict[str, Callable] = {
    "hysteresis": parameters.with_hysteresis,
    "plating": parameters.with_plating,
    "SEI": parameters.with_sei,
    "double layer": parameters.with_double_layer,
    "reactions": parameters.with_reactions,
    "pores": lambda c: parameters.with_pore_filling(parameters.with_reactions(c), 1.0),
    "sizes": lambda c: parameters.with_sizes(c, "negative", [1.0, 2.0], [0.6, 0.4]),
    "landesfeind": parameters.with_landesfeind,
}
MESH = na.Mesh(4, 3, 4, 10)
TOLERANCE = {"simulations": 1e-9, "cost": 1e-6, "fitted": 0.01, "claims": 0.002}


def of_solution(solution: na.Solution) -> list[float]:
    """How it ended, and its voltage at equal steps of time."""
    t = jnp.linspace(0.0, solution.t_end, 12)[1:-1]
    ends = [solution.outcome, solution.t_end, solution.capacity, solution.energy]
    return [*map(float, ends), *map(float, solution.at(t).voltage)]


def simulations() -> dict[str, list[float]]:
    """Each set, each heat balance, each optional part, and a pack."""
    found = {}
    for name in parameters.available():
        cell = parameters.load(name)
        for label, thermal in (
            ("isothermal", na.Isothermal()),
            ("lumped", na.Lumped()),
        ):
            model = na.DFN(MESH, thermal)
            s = na.simulate(cell, CYCLE, model=model, throw=False)
            found[f"{name}, {label}"] = of_solution(s)
    cell = parameters.load("nfm_hc_prismatic")
    for part, add in PARTS.items():
        s = na.simulate(add(cell), CYCLE, model=na.DFN(MESH), throw=False)
        found[f"with {part}"] = of_solution(s)
    pack = na.pack.build([[[cell, cell]]])
    s = na.pack.simulate(pack, CYCLE, model=na.DFN(MESH), throw=False).whole
    found["two in parallel"] = of_solution(s)
    return found


def fits() -> dict[str, list[float]]:
    """Cost, fitted numbers and their standard deviations of the studies of the demo."""
    found = {}
    for name, problem, options in (
        ("nvpf", demo.nvpf_problem(), {"max_evaluations": 30, "tolerance": 1e-3}),
        ("hina", demo.hina_problem(), {"max_evaluations": 22, "tolerance": 1e-3}),
        (
            "hakadi",
            demo.hakadi_problem(),
            {"max_evaluations": 22, "tolerance": 2e-3},
        ),
    ):
        fit = least_squares(problem, **options)
        sd = np.sqrt(np.diag(fit.covariance))
        found[name] = [float(fit.cost), *map(float, fit.z), *map(float, sd)]
    return found


def claims() -> dict[str, list[float]]:
    """Probability of every reading of the shipped claims, from few draws."""
    audits = na.claims.audit(na.claims.load(None), na.claims.products(None), draws=16)
    return {
        f"{a.claim.name}: {answer.reading.text}": [answer.probability]
        for a in audits
        for answer in a.answers
    }


ASKED = {"simulations": simulations, "fits": fits, "claims": claims}


def differences(kind: str, before: list[float], now: list[float]) -> dict[str, float]:
    """Largest differences over what is allowed."""
    if len(before) != len(now):
        return {"count": np.inf}
    a, b = np.asarray(before), np.asarray(now)
    if kind == "fits":
        n = (len(a) - 1) // 2
        return {
            "cost": abs(b[0] / a[0] - 1.0) / TOLERANCE["cost"],
            "fitted": np.max(np.abs(b - a)[1 : n + 1] / a[n + 1 :])
            / TOLERANCE["fitted"],
        }
    apart = np.abs(b - a) / (1.0 if kind == "claims" else np.maximum(1.0, np.abs(a)))
    return {
        kind: float(np.max(np.where(np.isnan(a) & np.isnan(b), 0.0, apart)))
        / TOLERANCE[kind]
    }


def main() -> int:
    """Write, or compare and say what differs; status 1 where something does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--only", choices=ASKED, action="append")
    arguments = parser.parse_args()
    na.enable_x64()
    found = {kind: ASKED[kind]() for kind in arguments.only or ASKED}
    if arguments.write:
        arguments.write.write_text(json.dumps(found, indent=1), encoding="utf-8")
    if not arguments.against:
        return 0
    before = json.loads(arguments.against.read_text(encoding="utf-8"))
    worst, missing = 0.0, []
    for kind, cases in found.items():
        missing += sorted(set(before[kind]) ^ set(cases))
        for name in sorted(set(before[kind]) & set(cases)):
            for what, apart in differences(
                kind, before[kind][name], cases[name]
            ).items():
                worst = max(worst, apart)
                said = "" if apart <= 1.0 else "  DIFFERS"
                print(f"{kind}: {name}: {what} {apart:.2g} of what is allowed{said}")
    for name in missing:
        print(f"only on one side: {name}")
    return int(worst > 1.0 or bool(missing))
