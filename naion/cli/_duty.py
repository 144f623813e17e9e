"""`naion duty`: what a battery does all day, and how chemistries serve it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .._files import writable
from ..duty import CLIMATES, Duty, Total, compare, duties, load, year
from ..duty import ready as ready_for_duty
from ..io import write_csv
from ..models import DFN, heat_balance
from ..parameters import QUALITIES, Cell, require_full_cell
from ._cell_named import cell_named
from ._said import aloud

ROOM = 298.15

USUAL, DAYS = "35,25,0,-20,-30", 6
"""Temperatures, and representative days of a year, where none are given."""

COLUMNS = {
    "Cell": "cell",
    "Duty": "duty",
    "Temperature [degC]": "degC",
    "Energy delivered [kWh]": "kWh out",
    "Energy missed [%]": "missed %",
    "Most power missed [%]": "at most %",
    "Charge refused [%]": "refused %",
    "Efficiency [%]": "eff. %",
    "Peak temperature [degC]": "peak degC",
    "Lowest plating margin [mV]": "margin mV",
    "Final SOC [%]": "SOC %",
}
"""Of the table that is printed, and their heads; all are in the file."""


def options(p: argparse.ArgumentParser) -> None:
    """Which duties, cells and temperatures."""
    p.add_argument("duty", nargs="*", help=f"of {', '.join(duties())}; none: list them")
    p.add_argument(
        "--cells",
        nargs="+",
        metavar="SET",
        help="sets, by name or TOML file, or cell.json",
    )
    p.add_argument(
        "--temperatures",
        metavar="DEGC,...",
        help=f"of the day, else {USUAL}; write --temperatures=-20,-30 where the first is "
        "below zero",
    )
    p.add_argument(
        "--year",
        choices=tuple(CLIMATES),
        help="a year in a climate instead of single days",
    )
    p.add_argument(
        "--days", type=int, help=f"representative days of a year; else {DAYS}"
    )
    p.add_argument("--thermal", choices=("isothermal", "lumped"), default="lumped")
    p.add_argument("--out", type=Path, help="CSV to write")


def command(arguments: argparse.Namespace) -> int:
    """List duties, show them, or let cells serve them."""
    names = arguments.duty
    unknown = [name for name in names if name not in duties()]
    if unknown:
        load(unknown[0])
    _check(arguments)
    if not names and arguments.cells is None:
        for name in duties():
            print(f"{name:12s} {load(name, ROOM).title}")
        print("\nnaion duty NAME shows one; with --cells SET ... cells serve it")
        return 0
    if arguments.cells is None:
        for name in names:
            _show(load(name, ROOM))
        return 0
    cells = {}
    for text, name in _named(arguments.cells).items():
        cells[name], _ = cell_named(text)
        require_full_cell(cells[name], "A duty", text)
    out = arguments.out
    if out is not None:
        writable(out, arguments.cells)
    model = DFN(thermal=heat_balance(arguments.thermal))
    if arguments.year is not None:
        return _year(cells, names or duties(), model, arguments)
    given = arguments.temperatures
    temperatures = _temperatures(USUAL if given is None else given)
    table = compare(cells, names or duties(), temperatures, model=model, progress=aloud)
    shown = table.rename(columns=COLUMNS)[list(COLUMNS.values())]
    print(shown.round(1).to_string(index=False, na_rep="-"))
    if out is not None:
        write_csv(out, list(table.columns), table.astype(str).values.tolist())
        print(f"wrote {out}")
    failed = int(np.sum(np.isnan(np.asarray(table["Energy delivered [kWh]"], float))))
    if failed:
        print(f"{failed} simulations failed; their rows have no numbers")
    return 4 if failed else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that would have no effect, and days that no year has.

    Raises:
        ValueError: naming the option.
    """
    year, days = arguments.year, arguments.days
    for option, given, needs in (
        ("--out", arguments.out, "--cells" * (arguments.cells is None)),
        (
            "--temperatures",
            arguments.temperatures,
            "--cells" * (arguments.cells is None),
        ),
        ("--year", year, "--cells" * (arguments.cells is None)),
        ("--days", days, "--year" * (year is None)),
    ):
        if given is not None and needs:
            raise ValueError(
                f"{option} {given} says nothing without {needs}: name some."
            )
    if year is not None and arguments.temperatures is not None:
        raise ValueError(
            f"--temperatures {arguments.temperatures} are of single days, and --year "
            f"{year} has its own: give one of them."
        )
    if days is not None and not 1 <= days <= 365:
        raise ValueError(f"--days {days}: expected 1 to 365 representative days.")


def _named(texts: Sequence[str]) -> dict[str, str]:
    """What cells are called in tables, by how they were given: short, where that tells.

    Raises:
        ValueError: for one that is given twice.
    """
    twice = [text for text in texts if texts.count(text) > 1]
    if twice:
        raise ValueError(
            f"--cells: {twice[0]} stands there twice; name each cell once."
        )
    short = [Path(t).stem if Path(t).suffix in (".toml", ".json") else t for t in texts]
    return {
        text: name if short.count(name) == 1 else text
        for text, name in zip(texts, short, strict=True)
    }


def _temperatures(text: str) -> list[float]:
    """The numbers of a list.

    Raises:
        ValueError: for what is none, or no temperature in Celsius.
    """
    try:
        found = [float(x) for x in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--temperatures {text!r}: expected numbers with commas, as 35,25,0,-20."
        ) from None
    for T in found:
        if not -70.0 <= T <= 65.0:
            raise ValueError(
                f"--temperatures: {T:g}: expected degC from -70 to 65. Is it in kelvin?"
            )
    return found


def _show(duty: Duty) -> None:
    """A duty at 25 degC, and where its numbers are from."""
    asked, offered = (x / 3.6e6 for x in duty.asked)
    rates = duty.rates
    print(f"{duty.name}: {duty.title}")
    print(
        f"battery {duty.energy / 3.6e6:.4g} kWh, {duty.time[-1] / 3600.0:.4g} h from "
        f"{100.0 * duty.start:.0f} % SOC; at 25 degC {asked:.4g} kWh out, {offered:.4g} "
        f"kWh in, at most {rates['out']:.2g} and {rates['in']:.2g} of the rated energy an "
        f"hour"
    )
    for source in duty.sources:
        print(f"cycle: {source}")
    print("quality: " + ", ".join(f"{k} {word}" for k, word in QUALITIES.items()))
    print("range: holds the number with 90 %")
    for n in duty.numbers:
        between = "" if n.range is None else "{:g} ... {:g}".format(*n.range)
        value = f"{n.median:g}"
        print(
            f"{n.quality}  {n.name:28s} {value:>10s} {n.unit:7s} {between:22s} {n.source}"
        )
    print()


def _year(
    cells: dict[str, Cell],
    names: list[str] | tuple[str, ...],
    model: DFN,
    arguments: argparse.Namespace,
) -> int:
    """A year of every cell and duty."""
    climate = CLIMATES[arguments.year]
    days = DAYS if arguments.days is None else arguments.days
    print(f"{climate.title}; {climate.source}")
    head = ["cell", "duty", "days", "MWh_asked", "missed_percent", "efficiency_percent"]
    head += ["peak_degC", "margin_mV", "failed"]
    rows = []
    for cell_name, cell in cells.items():
        own = ready_for_duty(cell, model)
        for name in names:
            t = year(own, name, climate, days, progress=aloud)
            rows.append([cell_name, name, *_numbers(t)])
    for row in (head, *rows):
        print("".join(f"{x:>20s}" if i else f"{x:28s}" for i, x in enumerate(row)))
    if arguments.out is not None:
        write_csv(arguments.out, head, rows)
        print(f"wrote {arguments.out}")
    return 4 if any(row[-1] != "0" for row in rows) else 0


def _numbers(t: Total) -> list[str]:
    return [
        f"{t.days:g}",
        f"{t.asked / 3.6e9:.4g}",
        f"{max(100.0 * t.missed, 0.0):.2f}",
        f"{100.0 * t.efficiency:.2f}",
        f"{t.peak_temperature - 273.15:.1f}",
        f"{1e3 * t.margin:.0f}",
        f"{t.failed}",
    ]
