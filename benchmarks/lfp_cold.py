"""LFP's laws in temperature from pulses of a commercial cell at 5 to 45 degC.

    python -m benchmarks lfp_cold

Four tables. `lfp_cold`: every temperature predicted from the others by a ladder of fits,
beside a naive baseline and the fit. `lfp_cold_laws`: activation energies before and after,
those that the set `lfp_aboutenergy` takes among them. `lfp_cold_tests`: tests of the same
cell that were not fitted. `lfp_cold_energy`: what a cell keeps in the cold, and on what
that rests.
"""

import time

import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from benchmarks.left_out import spreads
from benchmarks.lithium import (
    DIFFUSION_P,
    ENERGIES,
    KINETICS_N,
    KINETICS_P,
    ONE_C,
    OTHER_ONE_C,
    RATES,
    RUNGS,
    TEMPERATURES,
    allowed,
    between_neighbours,
    capacities,
    carried,
    check_up,
    measured_check_up,
    on,
    problem,
    pulses,
)
from naion._constants import ZERO_CELSIUS
from naion.batch import run, stack
from naion.comparison import discharge
from naion.fit import Experiment, Fit, fleet, least_squares
from naion.parameters import load_set

COLD = (25.0, 0.0, -20.0, -30.0)
"""Of the last table [degC]."""

MESH = na.Mesh(8, 4, 8, 20)

ALL = "all"
"""In the place of the temperature left out."""


def fits() -> dict[tuple[str, int | str], Fit]:
    """Every rung with every temperature left out, and with all."""
    keys = [(rung, left) for rung in RUNGS for left in (*TEMPERATURES, ALL)]
    if FAST:
        keys = [k for k in keys if k[0] == [*RUNGS][-1] and k[1] in (25, ALL)]
    found: dict[tuple[str, int | str], Fit] = {}
    for rung in dict.fromkeys(rung for rung, _ in keys):
        problems = {
            str(left): problem(rung, tuple(T for T in TEMPERATURES if left != T))
            for of, left in keys
            if of == rung
        }
        for left, fit in fleet(problems, max_evaluations=40, tolerance=1e-3).items():
            if isinstance(fit, Exception):
                raise RuntimeError(f"{rung!r} without {left} failed.") from fit
            found[rung, ALL if left == ALL else int(left)] = fit
    return found


def of(fit: Fit, tests: tuple[Experiment, ...]) -> np.ndarray:
    """Errors of single numbers [%]."""
    model = on(fit.problem, tests).predictions(fit.z)
    measured = [float(e.observations[0].value[0]) for e in tests]
    return 100.0 * (np.concatenate(model) / measured - 1.0)


def left_out(found: dict[tuple[str, int | str], Fit], chosen: str) -> None:
    """Errors of every rung where a temperature was left out, and the baseline's."""
    rungs = [r for r in RUNGS if (r, 25) in found]
    known = {
        rate: {
            T: float(e.observations[0].value[0])
            for T, e in zip(TEMPERATURES, pulses(rates=(rate,)), strict=True)
        }
        for rate in RATES
    }
    rows, errors, inside = [], [], []
    for T in TEMPERATURES:
        if (chosen, T) not in found:
            continue
        tests = pulses((T,))
        each = [of(found[rung, T], tests) for rung in rungs]
        naive = [
            100.0 * (between_neighbours(T, known[rate]) / known[rate][T] - 1.0)
            for rate in RATES
        ]
        in_it = of(found[chosen, ALL], tests)
        whole = on(found[chosen, T].problem, tests)
        sd = np.concatenate(spreads(whole, found[chosen, T].z, found[chosen, T], {}))
        R = np.array([known[rate][T] for rate in RATES])
        off = R * each[rungs.index(chosen)] / 100.0
        inside.append(np.abs(off) <= 1.645 * sd)
        columns = np.array([*each, naive, in_it]).T
        errors.append(columns)
        for rate, line in zip(RATES, columns, strict=True):
            label = [f"{T} degC", f"{rate}C", f"{1e3 * known[rate][T]:.1f}"]
            rows.append([*label, *(f"{x:+.1f}" for x in line)])
    every = np.concatenate(errors)
    rows.append(
        ["mean of sizes", "", "", *(f"{x:.1f}" for x in np.abs(every).mean(axis=0))]
    )
    held = np.concatenate(inside)
    write(
        "lfp_cold",
        "LFP: pulse resistances at a temperature that was left out",
        [
            *("left out", "pulse of 1 s", "measured, mohm"),
            *(f"{rung}, %" for rung in rungs),
            *("Arrhenius between neighbours, %", f"{chosen}: fitted, %"),
        ],
        rows,
        "Errors of a commercial LFP / graphite 18650 of 1.8 A.h (TU Berlin, DOI "
        "10.14279/depositonce-25036, CC BY 4.0). Resistances of contacts, of both charge "
        "transfers and of the electrolyte are free in every fit, and energies as named: "
        "published by About:Energy for the cell of the set, believed from other cells, "
        "free about these. The baseline knows no physics: exp(a + b/T) through the "
        "neighbours, beyond the ends through the two nearest. Inside the 90 % intervals "
        f"of {chosen!r}: {int(held.sum())} of {held.size}.",
    )


def chosen_rung(found: dict[tuple[str, int | str], Fit]) -> str:
    """The rung whose predictions are better than those of the one that stands.

    By more than the standard error of the differences over temperatures left out.
    """
    rungs = [r for r in RUNGS if (r, 25) in found]
    sizes = {
        r: np.array(
            [
                np.abs(of(found[r, T], pulses((T,)))).mean()
                for T in TEMPERATURES
                if (r, T) in found
            ]
        )
        for r in rungs
    }
    stands = rungs[0]
    for rung in rungs[1:]:
        better = sizes[stands] - sizes[rung]
        if better.mean() > better.std(ddof=1) / np.sqrt(len(better)):
            stands = rung
    return stands


def laws(fit: Fit, other: Fit, diffusion: np.ndarray) -> None:
    """Activation energies before and after the fit, and of a fit with another 1C."""
    elsewise = " and ".join(
        f"{other.z[other.problem.vector.names.index(k)] / 1e3:.1f}"
        for k in (KINETICS_N, KINETICS_P)
    )
    names = fit.problem.vector.names
    sds = np.sqrt(np.diag(fit.covariance))
    rows = []
    for name, before in ENERGIES.items():
        line = [name, f"{before.published / 1e3:.1f}"]
        line.append(f"{before.value / 1e3:.0f} +- {before.sd / 1e3:.0f}")
        if name in names:
            k = names.index(name)
            value, sd = float(fit.z[k]), float(sds[k])
            low, high, data = value - 2.0 * sd, value + 2.0 * sd, "pulses"
        elif name == DIFFUSION_P:
            low, value, high = diffusion
            sd, data = (high - low) / 4.0, "capacities of check-ups"
        else:
            rows.append([*line, "-", "-", "-", "none", before.why])
            continue
        remains = f"{100.0 * min(sd / before.sd, 1.0):.0f}"
        ends = f"{low / 1e3:.1f} to {high / 1e3:.1f}"
        rows.append([*line, f"{value / 1e3:.1f}", ends, remains, data, before.why])
    write(
        "lfp_cold_laws",
        "LFP: activation energies before and after",
        [
            *("energy of", "published, kJ/mol", "believed, kJ/mol", "found, kJ/mol"),
            *(
                "range of two standard deviations, kJ/mol",
                "left of what was believed, %",
            ),
            *("data", "believed for"),
        ],
        rows,
        "Found from 1 s pulses at 1C and 3C, 5 to 45 degC, and, for diffusion in LFP, from "
        "what capacities of check-ups allow: lithium that is left in slow particles cannot "
        "be more than what the cold cell lacks. Pulses know the sum of both charge "
        "transfers better than each. Where most of what was believed is left, these data "
        f"do not tell. 1C is taken as {ONE_C} A; were it {OTHER_ONE_C} A, charge transfer "
        f"would have {elsewise} kJ/mol, and mean voltages would fit less well (last rows "
        "of `lfp_cold_tests`).",
    )


def not_fitted(fit: Fit, other: Fit) -> None:
    """Other tests of the cell; of a fit with another 1C mean voltages alone."""
    rows = []
    for what, column, direction, rates in (
        ("discharge, 0.1 s", "r_100ms_mohm", 1, RATES),
        ("discharge, 10 s", "r_10s_mohm", 1, RATES),
        ("charge, 1 s", "r_1s_mohm", -1, (1,)),
        ("charge, 10 s", "r_10s_mohm", -1, (1,)),
    ):
        tests = pulses(TEMPERATURES, column, direction, rates)
        for e, off in zip(tests, of(fit, tests), strict=True):
            R = 1e3 * float(e.observations[0].value[0])
            rows.append([e.name, f"{what}, mohm", f"{R:.1f}", f"{off:+.1f} %"])
    have = measured_check_up()
    for one, one_c in ((fit, ONE_C), (other, OTHER_ONE_C)):
        model = check_up(one.specimen.cell, one_c)
        what = f"mean voltage of the check-up, V, if 1C is {one_c} A"
        for T, V, mean in zip(TEMPERATURES, have.mean, model.mean, strict=True):
            off = f"{1e3 * (mean - V):+.0f} mV"
            rows.append([f"{T} degC", what, f"{V:.3f}", off])
    write(
        "lfp_cold_tests",
        "LFP: tests of the same cell that were not fitted",
        ["test", "what", "measured", "model off by"],
        rows,
        "Resistances after other times than 1 s, charge pulses, and the mean voltage of a "
        "discharge at 1C in segments of 36 s with rests of six minutes, from full. No "
        "double layer is simulated, which 0.1 s in the cold would need.",
    )


def energy(found: dict[str, float], diffusion: np.ndarray) -> None:
    """What the cell of the set keeps, with what was published and with what was found."""
    cell = load_set("lfp_aboutenergy").cell
    published = {k: ENERGIES[k].published for k in (*found, DIFFUSION_P)}
    variants = {
        "as published": published,
        "kinetics found, diffusion as published": published | found,
        **{
            f"kinetics found, diffusion {e / 1e3:.0f} kJ/mol ({which})": found
            | {DIFFUSION_P: float(e)}
            for which, e in zip(("least", "median", "most"), diffusion, strict=True)
        },
    }
    cells = [carried(cell, v) for v in variants.values()]
    lanes = [(c, T + ZERO_CELSIUS) for c in cells for T in COLD]
    both = stack([c for c, _ in lanes]), jnp.asarray([T for _, T in lanes])

    def given(lane):
        c, T = lane
        return discharge(c, jnp.asarray(1.0 / 3.0), T, MESH, na.Isothermal()).energy

    E = np.asarray(run(given, both)).reshape(len(cells), len(COLD))
    write(
        "lfp_cold_energy",
        "LFP: energy in the cold at C/3",
        ["energies", *(f"at {T:+.0f} degC, % of 25 degC" for T in COLD[1:])],
        [
            [name, *(f"{100.0 * x / line[0]:.0f}" for x in line[1:])]
            for name, line in zip(variants, E, strict=True)
        ],
        "The cell of `lfp_aboutenergy`, isothermal, charged warm. Below 5 degC all laws are "
        "extrapolated. What is left there rests on diffusion in LFP, of which pulses and "
        "check-ups above 5 degC say little.",
    )


def main() -> None:
    """Fit, choose, and write the tables."""
    began = time.perf_counter()
    found = fits()
    chosen = chosen_rung(found)
    fit = found[chosen, ALL]
    left_out(found, chosen)
    diffusion = allowed(capacities(fit.specimen.cell))
    other = least_squares(problem(chosen, one_c=OTHER_ONE_C), max_evaluations=40)
    laws(fit, other, diffusion)
    not_fitted(fit, other)
    names = fit.problem.vector.names
    kinetics = {k: float(fit.z[names.index(k)]) for k in (KINETICS_N, KINETICS_P)}
    energy(kinetics, diffusion)
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
