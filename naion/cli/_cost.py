"""`naion cost`: what designs cost a kWh, at which price of lithium, and what is in them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import design
from .._files import writable_folder
from .._pictures import content_of
from ..cost import (
    COLD_DRAWS,
    DRAWS,
    Study,
    as_quoted,
    available,
    delivered_draws,
    in_celsius,
    interval,
    load,
    per_delivered,
    schema,
    study,
)
from ..io import write_csv
from ..parameters import QUALITIES
from ..plot import cheaper
from ..report import Figure, Report, TextTable
from ._file_options import schema_option

USUAL = (
    *("nfm_prismatic", "lean_prismatic", "nfpp_prismatic", "pw_prismatic"),
    "nmc811_prismatic",
)
"""Designs that are asked about where none is named."""

MOST_DRAWS = 1_000_000

CAUTION = (
    "Sums of materials and work, not market prices. Most sodium prices are assumed "
    "(quality A): an interval holds 90 % of the draws of what is assumed here, and the "
    "chance that one is cheaper is a share of these draws."
)


def options(p: argparse.ArgumentParser) -> None:
    """Which designs, at which prices."""
    p.add_argument("design", nargs="*", help=f"by name; none: {', '.join(USUAL)}")
    p.add_argument("--against", default="lfp_prismatic", metavar="DESIGN")
    p.add_argument("--file", type=Path, help="a TOML file of designs of your own")
    p.add_argument("--prices", default="china_2026_06", metavar="LIST")
    p.add_argument("--price-file", type=Path, help="a TOML file of lists of your own")
    p.add_argument(
        "--lithium",
        type=float,
        metavar="PRICE",
        help="of lithium carbonate without tax [USD/kg]; none: the list's",
    )
    p.add_argument(
        "--delivered-at",
        type=float,
        metavar="DEGC",
        help="also for each kWh delivered at C/3 there, simulated",
    )
    p.add_argument(
        "--lower",
        type=float,
        default=20.0,
        metavar="PERCENT",
        help="what counts as significantly lower; 20",
    )
    p.add_argument("--draws", type=int, default=DRAWS)
    p.add_argument("--out", type=Path, help="folder to write a report and tables to")
    p.add_argument("--lists", action="store_true", help="name the price lists")
    schema_option(p, schema)


def command(arguments: argparse.Namespace) -> int:
    """Print the tables; write them too, with a figure, where a folder is given."""
    if arguments.lists:
        for name in available(arguments.price_file):
            print(f"{name:20s} {load(name, arguments.price_file).title}")
        return 0
    if not 2 <= arguments.draws <= MOST_DRAWS:
        raise ValueError(f"--draws {arguments.draws}: expected 2 to {MOST_DRAWS:,}.")
    if not 0.0 <= arguments.lower < 100.0:
        raise ValueError(
            f"--lower {arguments.lower:g}: expected 0 to below 100 percent."
        )
    if arguments.delivered_at is not None:
        in_celsius(arguments.delivered_at, "--delivered-at")
    if arguments.out is not None:
        writable_folder(arguments.out)
    names = dict.fromkeys(arguments.design or USUAL)
    names[arguments.against] = None
    own = () if arguments.file is None else design.available(arguments.file)
    designs = [design.load(n, arguments.file if n in own else None) for n in names]
    prices = load(arguments.prices, arguments.price_file)
    asked = study(designs, prices, lithium=arguments.lithium, draws=arguments.draws)
    print(
        f"{prices.title}; lithium carbonate {asked.lithium:.4g} USD/kg without tax; "
        f"{arguments.draws} draws\n{CAUTION}\n"
    )
    tables = {
        "cost": costs(asked, arguments.against),
        "footprint": footprints(asked),
        "break_even": hangs_on(asked, arguments.against),
        "lower": lower(asked, arguments.against, arguments.lower),
    }
    if arguments.delivered_at is not None:
        tables["delivered"] = delivered(
            asked, arguments.delivered_at, arguments.against
        )
    for title, table in zip(_titles(arguments), tables.values(), strict=True):
        print(title)
        _print(table)
    if arguments.out is not None:
        _write(asked, arguments, tables)
        print(f"wrote {arguments.out / 'report.html'}")
    return 0


def costs(asked: Study, against: str) -> TextTable:
    """Intervals, chances and break-evens of all designs."""
    header = ["design", "USD/kWh (90 %)", "CNY/Wh with tax", "cheaper than"]
    header[-1] += f" {against}"
    header += ["break-even carbonate [USD/kg] (90 %)"]
    found, rows = asked.costs(), []
    for k, name in enumerate(asked.names):
        chance, equal = "-", "-"
        if name != against:
            chance = f"{float(asked.cheaper(name, against)):.2f}"
            equal = within(asked.break_evens(name, against))
        low, middle, high = interval(as_quoted(found[:, k]))
        quoted = f"{middle:.2f} ({low:.2f}-{high:.2f})"
        rows.append([name, within(found[:, k], 1), quoted, chance, equal])
    return TextTable(header, rows)


def footprints(asked: Study) -> TextTable:
    """Kilograms a kWh, without losses."""
    found = asked.footprints()
    names = list(next(iter(found.values())))
    rows = [
        [name, *(f"{own[e]:.3f}" if own[e] else "0" for e in names)]
        for name, own in found.items()
    ]
    return TextTable(["kg/kWh", *names], rows)


def hangs_on(asked: Study, against: str) -> TextTable:
    """What decides at which price of lithium both cost the same."""
    rows = []
    for name in asked.names:
        if name == against or np.isnan(asked.break_evens(name, against)).any():
            continue
        turned = asked.elasticities(name, against)
        for number, kind, source, share in asked.shares(name, against)[:4]:
            rows.append(
                [name, number, f"{100.0 * share:.0f} %", f"{turned[number]:+.2f}"]
                + [kind, source]
            )
    header = ["design", "number", "of the variance", "% for 1 %", "known", "source"]
    return TextTable(header, rows)


def lower(asked: Study, against: str, percent: float) -> TextTable:
    """What would have to be true for a design to cost so much less."""
    rows = []
    for name in (n for n in asked.names if n != against):
        i, j = asked.names.index(name), asked.names.index(against)
        c = asked.costs()
        share = 1.0 - 0.01 * percent
        chance = float(np.mean(c[:, i] <= share * c[:, j]))
        change = asked.least_change(name, against, share)
        words = "; ".join(
            f"{n} {a:.3g} to {b:.3g}{'' if unit == '-' else f' {unit}'}"
            for n, a, b, unit in change.parts[:4]
        )
        said = f"{change.distance:.1f} sd: {words}" if words else "it is at the medians"
        if not change.reaches:
            said = (
                f"nothing within 3 sd of each number does; {change.share:.2f} at best"
            )
        rows.append([name, f"{chance:.2f}", said])
    return TextTable(["design", "probability", "would have to be true"], rows)


def delivered(asked: Study, temperature: float, against: str) -> TextTable:
    """Costs for a kWh delivered in the cold, with the spread of designs and materials."""
    n = min(COLD_DRAWS, len(asked.drawn))
    shares = delivered_draws(asked, temperature, draws=n)
    found = per_delivered(asked.costs()[:n], shares, asked.names)
    other = found[:, asked.names.index(against)]
    rows = []
    for k, (name, b) in enumerate(zip(asked.names, asked.designs, strict=True)):
        if name not in shares:
            rows.append(
                [name, "-", "-", "-", f"{b.materials or 'no set'}: says nothing"]
            )
            continue
        both = ~(np.isnan(found[:, k]) | np.isnan(other))
        known = name != against and both.any()
        chance = float(np.mean(found[both, k] < other[both])) if known else np.nan
        rows.append(
            [
                name,
                f"{within(100.0 * shares[name])} %",
                within(found[:, k], 1),
                f"{chance:.2f}" if known else "-",
                b.materials,
            ]
        )
    header = ["design", "delivered (90 %)", "USD/kWh delivered (90 %)"]
    header += [f"cheaper than {against}", "by the set"]
    return TextTable(header, rows)


def within(values: np.ndarray, digits: int = 0) -> str:
    """Median and 90 % interval."""
    low, middle, high = interval(values)
    if np.isnan(middle):
        return "-"
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _titles(arguments: argparse.Namespace) -> Sequence[str]:
    found = [
        "What a kWh of cells costs to make",
        "What is in it, without losses in the making",
        "What the break-even hangs on, to first order at the medians",
        f"What {arguments.lower:g} % less than {arguments.against} asks for",
    ]
    if arguments.delivered_at is not None:
        found.append(
            f"For each kWh delivered at {arguments.delivered_at:g} degC and C/3, "
            "isothermal, of draws of designs and sets of materials"
        )
    return found


def _print(table: TextTable) -> None:
    lines = [table.header, *table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (text.ljust(w) for text, w in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())
    print()


def _write(asked: Study, arguments: argparse.Namespace, tables: dict) -> None:
    out = arguments.out
    report = Report("naion: what cells cost")
    report.paragraph(
        f"{asked.prices.title}; lithium carbonate {asked.lithium:.4g} USD/kg. {CAUTION}"
    )
    for title, (name, table) in zip(_titles(arguments), tables.items(), strict=True):
        report.heading(title)
        report.add(table)
        write_csv(out / f"{name}.csv", table.header, table.rows)
    canvas = content_of(cheaper(asked, arguments.against).figure)
    caption = "Chance of being cheaper over the price of lithium carbonate."
    report.add(Figure("over_lithium", canvas, caption))
    report.heading("What the prices are")
    rows = [
        [
            s.name,
            f"{s.value:g}",
            s.unit,
            _range(s.range),
            QUALITIES[s.quality],
            s.source,
        ]
        + [asked.prices.dates[s.name]]
        for s in asked.prices.numbers.values()
    ]
    header = ["number", "value", "unit", "range", "known", "source", "date"]
    report.add(TextTable(header, rows))
    report.write(out)


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else "{:g} to {:g}".format(*ends)
