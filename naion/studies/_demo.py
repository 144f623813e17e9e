"""The main job: measured data to fitted cells to predictions beside the claims."""

import dataclasses
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .. import claims, design, plot
from .._cache import compilation_cache
from .._precision import enable_x64
from ..fit import Fit, least_squares, run, scores
from ..predict import (
    ColdRow,
    cold_table,
    energy_density,
    ensemble,
    uncertainty_of,
    write_fitted_cell,
)
from ..protocol import Mode
from ..report import Figure, Report, Table
from ._hakadi import hakadi_problem
from ._hina import hina_problem
from ._nvpf import nvpf_problem
from ._tables import EMBEDDED, full_tables
from ._tuberlin import tuberlin_problem

Progress = Callable[[str], None]

DRAWS = 24
"""Cells drawn for every predicted interval."""

DRAWS_OF_CLAIMS = 64
"""Draws of the claim that is asked here."""

NAXTRA = 175.0
"""Claimed energy density of CATL Naxtra [W.h.kg-1], 21 April 2025."""


def demo(out: Path, full: bool = False, progress: Progress = print) -> None:
    """Run everything; writes report.html, report.md and four cell.json below `out`.

    Two cells are fitted in a process of their own, beside the other two.

    Args:
        out: folder to write.
        full: fit finer tables made from the full data files; see `full_tables`.
        progress: called with a line of text now and then.
    """
    began = time.perf_counter()

    def say(text: str) -> None:
        progress(f"[{time.perf_counter() - began:6.1f} s] {text}")

    out.mkdir(parents=True, exist_ok=True)
    tables = full_tables(out / "tables") if full else EMBEDDED
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        beside = pool.apply_async(_beside, (out, tables if full else None))
        say("NVPF / hard carbon, then HiNa: fitting in a second process")
        hakadi = _fit_hakadi(out, tables, say)
        tuberlin = _fit_tuberlin(out, tables, hakadi, say)
        predictions = _predict(tuberlin, say)
        audits = _audit(tuberlin, say)
        say("waiting for the second process")
        nvpf, hina = beside.get()
    report = Report("naion: four measured sodium-ion cells and two claims")
    source = "the full data files" if full else "the data embedded in naion"
    _write_fits(report, source, nvpf, hina, hakadi, tuberlin)
    _write_predictions(report, *predictions)
    _write_audit(report, audits)
    report.write(out)
    say(f"wrote {out / 'report.html'}")


class Fitted(NamedTuple):
    """What the report needs of a fit: tables of scores and parameters at bounds, figure."""

    rows: list[list[str]]
    at_bound: tuple[str, ...]
    figure: Any


def _beside(out: Path, tables: Path | None) -> tuple[Fitted, Fitted]:
    """Fit the laboratory cell and HiNa's."""
    enable_x64()
    compilation_cache()
    where = EMBEDDED if tables is None else tables
    nvpf = least_squares(nvpf_problem(tables=where), max_evaluations=30, tolerance=1e-3)
    name = "NVPF / hard carbon, Chayambuka et al. 2022"
    write_fitted_cell(out / "nvpf_hc" / "cell.json", nvpf, name)
    hina = least_squares(hina_problem(where), max_evaluations=22, tolerance=1e-3)
    name = "HiNa NaCR32140-MP10, 10 A.h"
    write_fitted_cell(out / "hina" / "cell.json", hina, name)
    return (
        Fitted(with_capacities(nvpf), nvpf.at_bound, _fit_figure(nvpf)),
        Fitted(scores(hina), hina.at_bound, _fit_figure(hina)),
    )


def with_capacities(fit: Fit) -> list[list[str]]:
    """Scores with the capacity error beside each discharge."""
    errors = dict(capacity_errors(fit))
    rows = []
    for name, what, text in scores(fit):
        discharged = what in ("voltage", "discharge") and name in errors
        rows.append([name, what, text, f"{errors[name]:+.2f} %" if discharged else ""])
    return rows


def capacity_errors(fit: Fit) -> list[tuple[str, float]]:
    """Simulated over measured capacity to the measured cut-off, minus one [%].

    For each experiment with a measured capacity; of its first discharge.
    """
    found = []
    lower = fit.subject.cell.limits.lower_voltage
    for e in fit.problem.experiments:
        if e.capacity is None:
            continue
        p = e.protocol
        row = int(np.argmax((p.mode == Mode.CURRENT) & (p.value > 0.0)))
        p = eqx.tree_at(
            lambda p: (p.duration, p.lower_voltage, p.count),
            p,
            (
                p.duration.at[row].set(1e6),
                p.lower_voltage.at[row].set(lower),
                jnp.asarray(row + 1),
            ),
        )
        own, done = run(
            fit.subject, dataclasses.replace(e, protocol=p), fit.problem.model
        )
        before = done.at(done.began(row))[3] / 3600.0
        logged = float(done.capacity - before) / float(own.gain)
        found.append((e.name, 100.0 * (logged / e.capacity - 1.0)))
    return found


def _fit_hakadi(out: Path, tables, say: Progress) -> Fit:
    say("Hakadi 18650: fitting seven cycles")
    fit = least_squares(
        hakadi_problem(tables=tables),
        max_evaluations=22,
        tolerance=2e-3,
        progress=lambda t: say("  " + t),
    )
    write_fitted_cell(out / "hakadi" / "cell.json", fit, "Hakadi 1.5 A.h 18650, cell 2")
    return fit


def _fit_tuberlin(out: Path, tables, hakadi: Fit, say: Progress) -> Fit:
    say("TU Berlin 18650: fitting check-ups at 15, 25 and 45 degC")
    problem = tuberlin_problem(hakadi.subject.cell, tables)
    fit = least_squares(
        problem, max_evaluations=40, tolerance=5e-4, progress=lambda t: say("  " + t)
    )
    write_fitted_cell(out / "tuberlin" / "cell.json", fit, "TU Berlin TC23SIB09 18650")
    return fit


def _predict(fit: Fit, say: Progress):
    say("predictions: cold discharges and a large cell")
    known = uncertainty_of(fit)
    drawn = ensemble(fit.subject.cell, known, DRAWS)
    cold = cold_table(drawn, progress=lambda t: say("  " + t))
    density, mass = energy_density(drawn, design.load("nfm_prismatic"))
    return cold, density, mass


def _audit(fit: Fit, say: Progress) -> tuple[claims.Audit, ...]:
    """The claim of CATL's Naxtra, with the materials that were just fitted."""
    say("audit of CATL Naxtra: specific energy of a large cell of these materials")
    (claim,) = claims.chosen(claims.load(), ["naxtra-energy"])
    claim = dataclasses.replace(claim, readings=claim.readings[:1])
    own = fit.subject.cell, uncertainty_of(fit), True
    return claims.audit([claim], claims.products(own), draws=DRAWS_OF_CLAIMS)


def _write_audit(report: Report, audits: tuple[claims.Audit, ...]) -> None:
    report.heading("Audit of CATL Naxtra: from these data to a verdict")
    report.paragraph(
        "Asked live, with the materials fitted above in a lean large cell whose design "
        "is assumed within ranges (naion designs lean_prismatic):"
    )
    claims.add_to(report, audits)
    report.heading("CATL Naxtra: the other readings")
    report.paragraph(
        "Computed by `make study` (naion claims), from the same data, with more draws."
    )
    kept = [c for c in claims.studied() if c["name"].startswith("naxtra")]
    header = ["claim", "reading", "claimed", "median (90 %)", "probability", "verdict"]
    rows = [
        [c["said"], r["text"], "; ".join(r["claimed"]), *_said(r)]
        for c in kept
        for r in c["readings"]
    ]
    report.add(Table(header, rows))


def _said(reading: dict[str, Any]) -> list[str]:
    quantity = reading["quantities"][reading["required"]]
    low, middle, high = quantity["interval_5_50_95"]
    return [
        f"{middle:.4g} ({low:.4g} to {high:.4g}) {quantity['unit']}",
        f"{reading['probability']:.2f}",
        reading["verdict"],
    ]


def _fit_figure(fit: Fit):
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(7.0, 4.0), layout="constrained")
    axes = canvas.add_subplot()
    pairs = zip(fit.problem.experiments, fit.predictions, strict=True)
    for i, (e, m) in enumerate(pairs):
        plot.fit(e, m, axes, f"C{i % 10}")
    axes.legend(fontsize=7, ncols=2)
    return canvas


def _write_fits(
    report: Report, source: str, nvpf: Fitted, hina: Fitted, hakadi: Fit, tuberlin: Fit
):
    report.paragraph(
        f"Every number below was computed by this run from {source}. "
        "Errors are voltage RMSE over equal steps of charge, above 2 V; capacity errors "
        "are to the measured cut-off."
    )
    report.heading("NVPF / hard carbon, laboratory cell (Chayambuka et al. 2022)")
    report.add(Table(["discharge", "what", "RMSE", "capacity error"], nvpf.rows))
    report.paragraph(_bounds(nvpf.at_bound))
    report.add(Figure("nvpf_hc", nvpf.figure, "Measured (points) and fitted (lines)."))
    report.heading(
        "Cu-Fe-Mn oxide / hard carbon 32140: HiNa, a slow cycle and a 2C charge"
    )
    report.add(Table(["test", "what", "model against data"], hina.rows))
    report.paragraph(
        "The slow and the fast test are of two cells, each of its own size. "
        + _bounds(hina.at_bound)
    )
    report.add(Figure("hina", hina.figure, "Measured (points) and fitted (lines)."))
    report.heading("Layered oxide / hard carbon 18650: Hakadi, rates")
    header = ["cycle", "what", "RMSE", "capacity error"]
    report.add(Table(header, with_capacities(hakadi)))
    report.paragraph(
        "Repeats of this cell differ by 8 to 18 mV: no model can honestly do better."
    )
    report.paragraph(_bounds(hakadi.at_bound))
    report.add(
        Figure("hakadi", _fit_figure(hakadi), "Measured (points) and fitted (lines).")
    )
    report.heading("Layered oxide / hard carbon 18650: TU Berlin, temperatures")
    report.add(Table(["test", "what", "model against data"], scores(tuberlin)))
    report.add(
        Table(
            ["parameter", "value", "90 % interval"],
            [
                [r["name"], f"{r['value']:.4g}", f"{r['low']:.4g} to {r['high']:.4g}"]
                for r in tuberlin.table()
                if "energy" in r["name"]
            ],
        )
    )
    report.paragraph(
        "Energies in J/mol; pseudo_energy in K. An interval as wide as its prior means "
        "that the data do not see the parameter."
    )
    report.paragraph(_bounds(tuberlin.at_bound))
    report.add(
        Figure(
            "tuberlin", _fit_figure(tuberlin), "Measured (points) and fitted (lines)."
        )
    )


def _write_predictions(report: Report, cold: list[ColdRow], density, mass: float):
    report.heading("Prediction: the cold")
    report.paragraph(
        "Discharge of the fitted TU Berlin cell to 1.5 V, charged warm, relative to the "
        "same rate at 25 degC: median and 90 % interval. Data reach down to 15 degC; "
        "every row below that extrapolates, with assumed spreads of the electrolyte law "
        "and of the activation energies. Claim beside it: CATL Naxtra, 90 % at -40 degC "
        "('usable power', 'capacity' or 'charge', no rate given)."
    )

    def cell(values: tuple[float, float, float]) -> str:
        low, middle, high = values
        return f"{middle:.0f} ({low:.0f} to {high:.0f})"

    report.add(
        Table(
            [
                "degC",
                "rate",
                "heat",
                "capacity %",
                "energy %",
                "mean power %",
                "outcomes",
            ],
            [
                [
                    f"{r.temperature:+.0f}",
                    r.rate,
                    r.heating,
                    cell(r.capacity),
                    cell(r.energy),
                    cell(r.power),
                    ", ".join(f"{k} {v}" for k, v in r.outcomes.items()),
                ]
                for r in cold
            ],
        )
    )
    for r in cold:
        if r.temperature == -40.0:
            report.paragraph(_verdict(r))
    report.add(Figure("cold", _cold_figure(cold), "Retained capacity, isothermal."))
    report.heading("Prediction: energy density of a large cell")
    low, middle, high = np.percentile(density, [5.0, 50.0, 95.0])
    holds = float(np.mean(density >= NAXTRA))
    report.paragraph(
        f"A prismatic cell of teardown geometry ({mass:.2f} kg) with these materials "
        f"gives {middle:.0f} Wh/kg at "
        f"C/3, 90 % interval {low:.0f} to {high:.0f}. CATL claims {NAXTRA:.0f} Wh/kg for "
        f"Naxtra: {100 * holds:.0f} % of the draws reach it. In plain words: a cell built "
        "as today's large layered-oxide cells, from the materials of this commercial "
        f"18650, {'reaches' if holds > 0.5 else 'does not reach'} the claim; it asks for "
        "other materials or a leaner design."
    )


def _verdict(r: ColdRow) -> str:
    low, middle, high = r.capacity
    holds = "holds" if low >= 90 else "fails" if high < 90 else "is open"
    return (
        f"At {r.temperature:.0f} degC, {r.rate}, {r.heating}: {middle:.0f} % of the "
        f"capacity ({low:.0f} to {high:.0f}) and {r.energy[1]:.0f} % of the energy. "
        f"Read as capacity at this rate, '90 % at -40 degC' {holds} for this cell."
    )


def _bounds(names: tuple[str, ...]) -> str:
    if not names:
        return "No parameter ended at a bound."
    return "Parameters at a bound, which the data do not determine: " + ", ".join(names)


def _cold_figure(cold: list[ColdRow]):
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(6.5, 3.8), layout="constrained")
    axes = canvas.add_subplot()
    for rate in dict.fromkeys(r.rate for r in cold):
        rows = [r for r in cold if r.rate == rate and r.heating == "isothermal"]
        low, middle, high = np.array([r.capacity for r in rows]).T
        x = np.array([r.temperature for r in rows])
        plot.band(x, middle, low, high, axes, label=rate)
    axes.plot([-40.0], [90.0], "k*", markersize=10, label="Naxtra claim")
    axes.set_xlabel("Temperature [degC]")
    axes.set_ylabel("Capacity [% of 25 degC]")
    axes.legend()
    return canvas
