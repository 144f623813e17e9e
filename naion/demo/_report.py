"""The report of the main job."""

import csv
from importlib.resources import files

import numpy as np

from .. import __version__, claims, plot
from ..report import Figure, Report, TextTable
from ._fitted import Fitted
from ._not_fitted import Unseen
from ._questions import ColdRow

NAXTRA = 175.0
"""Claimed energy density of CATL Naxtra [W.h.kg-1], 21 April 2025."""


def write_summary(
    report: Report, unseen: list[Unseen], cold: list[ColdRow], density: np.ndarray
) -> None:
    """Five sentences, then predictions of tests that no fit has seen."""

    def found(T: float) -> ColdRow:
        (row,) = (
            r
            for r in cold
            if (r.temperature, r.rate, r.heating) == (T, "C/3", "isothermal")
        )
        return row

    cold_row, coldest = found(-20.0), found(-40.0)
    low, middle, high = cold_row.capacity
    least, half, most = np.percentile(density, [5.0, 50.0, 95.0])
    odds = 100.0 * float(np.mean(density >= NAXTRA))
    report.heading("In five sentences")
    report.paragraph(
        "Four sodium-ion cells were fitted to published measurements, and each fit was "
        "then asked for a test that it had not seen (next table). "
        f"At -20 degC and C/3 the commercial 18650 of TU Berlin keeps {middle:.0f} % of "
        f"its capacity (median of draws, 90 % interval {low:.0f} to {high:.0f}; the best "
        f"fit itself {cold_row.best:.0f}); data end at 15 degC. "
        f"At -40 degC it keeps {coldest.capacity[1]:.0f} % ({coldest.capacity[0]:.0f} to "
        f"{coldest.capacity[2]:.0f}), where CATL says 90 % of its own cell, Naxtra, "
        "without a rate. "
        f"A large cell of the same materials holds {half:.0f} Wh/kg ({least:.0f} to "
        f"{most:.0f}). "
        f"CATL says {NAXTRA:.0f} Wh/kg: {odds:.0f} % of our draws reach it."
    )
    report.heading("Predicted, not fitted")
    report.add(TextTable(["test", "what", "error"], [list(row) for row in unseen]))
    report.paragraph(
        "From the cell alone: charged, with a sensor that is right; HiNa's pulses with the "
        "size and the start that its fitted pulses, of the same cell, gave. Resistances: "
        "mean error, least to largest."
    )


def write_audit(
    report: Report,
    audits: tuple[claims.Audit, ...],
    products: dict[str, claims.Product],
) -> None:
    """The claim that was asked, and those that `make study` answered."""
    report.heading("Audit of CATL Naxtra: from these data to a verdict")
    report.paragraph(
        "Asked live, with the materials fitted above in a lean large cell whose design "
        "is assumed within ranges (naion designs lean_prismatic):"
    )
    claims.add_to(report, audits, products)
    report.heading("CATL Naxtra: the other readings")
    report.paragraph(
        "Computed by `make study` (naion claims), from the same data, with more draws."
    )
    header = ["claim", "reading", "claimed", "median (90 %)", "probability", "verdict"]
    text = files("naion.demo").joinpath("naxtra.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    report.add(TextTable(header, [_said(row) for row in rows]))


def _said(row: dict[str, str]) -> list[str]:
    low, middle, high, odds = (
        float(row[key]) for key in ("low", "median", "high", "probability")
    )
    return [
        *(row[key] for key in ("said", "reading", "claimed")),
        f"{middle:.4g} ({low:.4g} to {high:.4g}) {row['unit']}",
        f"{odds:.2f}",
        row["verdict"],
    ]


def write_fits(
    report: Report,
    source: str,
    nvpf: Fitted,
    hina: Fitted,
    hakadi: Fitted,
    tuberlin: Fitted,
) -> None:
    """Tables and figures of the four fitted cells."""
    report.paragraph(
        f"Every number below was computed by naion {__version__} from {source}. "
        "Errors are voltage RMSE over all points of a fit; capacity errors "
        "are to the measured cut-off."
    )
    report.heading("NVPF / hard carbon, laboratory cell (Chayambuka et al. 2022)")
    report.add(TextTable(["discharge", "what", "RMSE", "capacity error"], nvpf.rows))
    report.paragraph(_bounds(nvpf))
    report.add(Figure("nvpf_hc", nvpf.figure, "Measured (points) and fitted (lines)."))
    report.heading(
        "Layered oxide / hard carbon 32140: HiNa, a slow cycle, a 2C charge and pulses"
    )
    report.add(TextTable(["test", "what", "model against data"], _scores(hina)))
    report.paragraph(
        "The tests are of three cells, each of its own size. " + _bounds(hina)
    )
    report.add(Figure("hina", hina.figure, "Measured (points) and fitted (lines)."))
    report.heading("Layered oxide / hard carbon 18650: Hakadi, rates")
    header = ["cycle", "what", "RMSE", "capacity error"]
    report.add(TextTable(header, hakadi.rows))
    report.paragraph(
        "Repeats of this cell differ by 8 to 18 mV: no model can honestly do better."
    )
    report.paragraph(_bounds(hakadi))
    report.add(Figure("hakadi", hakadi.figure, "Measured (points) and fitted (lines)."))
    report.heading("Layered oxide / hard carbon 18650: TU Berlin, temperatures")
    report.add(TextTable(["test", "what", "model against data"], _scores(tuberlin)))
    report.add(
        TextTable(
            ["parameter", "value", "90 % interval"],
            [
                [r["name"], f"{r['value']:.4g}", f"{r['low']:.4g} to {r['high']:.4g}"]
                for r in tuberlin.parameters
                if "energy" in r["name"]
            ],
        )
    )
    report.paragraph(
        "Energies in J/mol; pseudo_energy in K. An interval as wide as its prior means "
        "that the data do not see the parameter."
    )
    report.paragraph(_bounds(tuberlin))
    report.add(
        Figure("tuberlin", tuberlin.figure, "Measured (points) and fitted (lines).")
    )


def write_predictions(
    report: Report, cold: list[ColdRow], density: np.ndarray, mass: float
) -> None:
    """Retention in the cold, and the energy of a large cell [W.h.kg-1] beside a claim."""
    report.heading("Prediction: the cold")
    report.paragraph(
        "Discharge of the fitted TU Berlin cell to 1.5 V, charged warm, relative to the "
        "same rate at 25 degC: median and 90 % interval. Data reach down to 15 degC; "
        "every row below that extrapolates, with assumed spreads of the electrolyte law "
        "and of the activation energies. The best fit, which `naion run` simulates, is off "
        "the median where its numbers are at bounds: draws lie on one side of them. Claim "
        "beside it: CATL Naxtra, 90 % at -40 degC ('usable power', 'capacity' or 'charge', "
        "no rate given)."
    )

    def cell(values: tuple[float, float, float]) -> str:
        low, middle, high = values
        return f"{middle:.0f} ({low:.0f} to {high:.0f})"

    report.add(
        TextTable(
            [
                "degC",
                "rate",
                "heat",
                "capacity %",
                "of the best fit",
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
                    f"{r.best:.0f}",
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


def _scores(found: Fitted) -> list[list[str]]:
    """Without the capacity errors, of which there are none."""
    return [row[:3] for row in found.rows]


def _verdict(r: ColdRow) -> str:
    low, middle, high = r.capacity
    holds = "holds" if low >= 90 else "fails" if high < 90 else "is open"
    return (
        f"At {r.temperature:.0f} degC, {r.rate}, {r.heating}: {middle:.0f} % of the "
        f"capacity ({low:.0f} to {high:.0f}) and {r.energy[1]:.0f} % of the energy. "
        f"Read as capacity at this rate, '90 % at -40 degC' {holds} for this cell."
    )


def _bounds(fit: Fitted) -> str:
    """What ended at a bound, and where the cell does not rest at its limits."""
    names = ", ".join(fit.at_bound)
    said = ["No parameter ended at a bound."]
    if names:
        said = [f"Parameters at a bound, which the data do not determine: {names}."]
    said += [f"This fit is not done: {text}" for text in fit.off_limits]
    return " ".join(said)


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
