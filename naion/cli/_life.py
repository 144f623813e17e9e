"""`naion life`: what is left of a cell after cycles and years, and what that rests on."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import life
from .._constants import ZERO_CELSIUS
from ..parameters import recognised, require_full_cell
from ._cell_named import cell_named

OXIDES = "nfm", "cfm"
"""How names of sets with layered oxide begin."""

OTHERS = "nfpp", "nvpf", "pw"
"""And those of other sodium cells."""

OTHER = "other-sodium"

MOST_A_DAY = 200.0
"""Cycles."""


LONGEST = 200.0
"""Years of a life at most: longer than any measurement says something of."""


def options(p: argparse.ArgumentParser) -> None:
    """Of which cell, and of which use."""
    p.add_argument("cell", help="a set, by name or TOML file, or a cell.json")
    p.add_argument("--cycles", type=float, required=True, metavar="N")
    p.add_argument("--temperature", type=float, metavar="T", help="[degC]; else 25")
    p.add_argument(
        "--window", metavar="LO,HI", help="states of charge, as 0.1,0.9; else 0,1"
    )
    p.add_argument("--rate", type=float, metavar="C", help="else 1")
    p.add_argument(
        "--years", type=float, metavar="Y", help="that they take; else one cycle a day"
    )
    p.add_argument(
        "--end", type=float, default=0.8, help="share left at the end of life; else 0.8"
    )
    p.add_argument(
        "--chemistry",
        choices=("layered-oxide", "other-sodium", "lfp"),
        help="else by the name of the set, or of that which the cell's numbers are of",
    )


def command(arguments: argparse.Namespace) -> int:
    """Print what is left, with what it rests on.

    Raises:
        ValueError: for numbers that are none of a use, or a chemistry without a law.
    """
    a = arguments
    if not a.cycles > 0.0 or not np.isfinite(a.cycles):
        raise ValueError(f"--cycles {a.cycles:g}: expected a number above zero.")
    if a.years is not None and not 0.0 < a.years <= LONGEST:
        raise ValueError(f"--years {a.years:g}: expected above 0, at most 200.")
    if not 0.0 < a.end < 1.0:
        raise ValueError(
            f"--end {a.end:g}: expected a share of the capacity between 0 and 1; 80 % is "
            "0.8."
        )
    days = a.cycles if a.years is None else 365.25 * a.years
    if days > 365.25 * LONGEST:
        raise ValueError(
            f"--cycles {a.cycles:g} at one a day take {days / 365.25:.3g} years: expected at "
            f"most {LONGEST:g}. Say with --years how long they take."
        )
    if a.cycles > MOST_A_DAY * days:
        raise ValueError(
            f"--cycles {a.cycles:g} in --years {a.years:g} are {a.cycles / days:.4g} a "
            f"day: expected at most {MOST_A_DAY:g}."
        )
    cell, extra = cell_named(a.cell)
    require_full_cell(cell, "A life", a.cell)
    names = str(extra.get("name", "")), a.cell
    chemistry, assumed = a.chemistry, ""
    if chemistry is None:
        known = recognised(cell)
        chemistry, assumed = _chemistry(names, "" if known is None else known.of.name)
    window = (0.0, 1.0) if a.window is None else _window(a.window)
    limits = cell.limits
    use = life.Use(
        25.0 if a.temperature is None else a.temperature,
        window,
        1.0 if a.rate is None else a.rate,
        a.cycles / days,
        (float(limits.lower_voltage), float(limits.upper_voltage)),
        chemistry == "layered-oxide",
        life.ends_of(cell) if chemistry == "layered-oxide" else life.ENDS,
    )
    print(
        f"{a.cell}: {a.cycles:g} cycles in {days / 365.25:.3g} years, {use.rate:g}C, "
        f"{use.temperature:g} degC, {100 * window[0]:g} to {100 * window[1]:g} % SOC"
    )
    if taken := [*_taken(a), *filter(None, [assumed])]:
        print("not given, and taken as usual: " + ", ".join(taken))
    if chemistry == "lfp":
        return _lithium(use, a.cycles, days / 365.25, a.end)
    _sodium(use, a.cycles, days / 365.25, a.end)
    return 0


def _sodium(use: life.Use, cycles: float, years: float, end: float) -> None:
    found = life.outlook(use)
    terms = found.by_cycling(cycles), found.by_time(years)
    left = 100.0 * (1.0 - found.loss(cycles, years))
    low, middle, high = np.percentile(left, [5.0, 50.0, 95.0])
    print(f"capacity left: {middle:.1f} % ({low:.1f} to {high:.1f}, 90 %)")
    by = [100.0 * float(np.median(term)) for term in terms]
    print(f"  lost by cycling {by[0]:.2g} %, by time {by[1]:.2g} % (medians)")
    low, middle, high = np.percentile(found.cycles_to(end), [5.0, 50.0, 95.0])

    print(
        f"cycles to {100 * end:g} %: {_count(middle)} ({_count(low)} to {_count(high)}, "
        "90 %)"
    )
    for text in found.rests_on:
        print(f"rests on: {text}")
    for text in use.extrapolates:
        print(f"extrapolated: {text}")
    if 100.0 * float(np.median(terms[0])) > 14.0:
        print(
            "extrapolated: more loss than the 14 % of the rows; a knee is not in the law"
        )
    if use.extrapolates:
        print("  its interval is three times as wide (assumed)")


def _lithium(use: life.Use, cycles: float, years: float, end: float) -> int:
    T, soc = use.temperature + ZERO_CELSIUS, float(np.mean(use.window))
    by_time = life.lfp_calendar(years * 365.25 * 86400.0, T, soc)
    by_cycling = life.lfp_cycling(cycles * use.depth, use.rate, use.depth)
    left = 100.0 * (1.0 - float(by_time) - float(by_cycling))
    print(
        f"capacity left: {max(left, 0.0):.1f} %, by a published law without an interval"
    )
    print(
        f"  lost by cycling {100 * float(by_cycling):.2g} %, by time "
        f"{100 * float(by_time):.2g} %"
    )
    # Both terms are roots: of cycles, and of the time that they take.
    until = cycles * ((1.0 - end) / float(by_time + by_cycling)) ** 2
    print(f"cycles to {100 * end:g} %: {_count(until)}")
    print("rests on: Naumann et al. 2018 and 2020, a 3 A.h LFP 26650 of another maker")
    if not 10.0 <= use.temperature <= 60.0 or use.rate > 1.0:
        print(
            "extrapolated: the cycling term knows no temperature, and was fitted up to 1C"
        )
    return 0


def _count(n: float) -> str:
    return "more than 1,000,000" if n > 1e6 else f"{float(f'{n:.2g}'):,.0f}"


def _chemistry(names: Sequence[str], of: str) -> tuple[str, str]:
    """What a cell is by its names, or by its numbers; and what of it is assumed.

    Args:
        names: of the cell, the likeliest first.
        of: name of the set that it has most numbers of; "" for none.

    Raises:
        ValueError: for a lithium cell without a law.
    """
    for name in map(lambda text: Path(text).stem, names):
        if found := _of_name(name):
            return found, ""
    if found := _of_name(Path(of).stem):
        return found, f"--chemistry ({found}: most numbers are of {of})"
    return OTHER, f"--chemistry ({OTHER}: neither name nor numbers say anything of it)"


def _of_name(name: str) -> str:
    """The chemistry of which a name is; "" for none that is known."""
    if name.startswith("nmc"):
        raise ValueError(
            f"{name}: no law of a lithium NMC cell ships with naion; give --chemistry to "
            "read the number of another."
        )
    known = (("lfp",), "lfp"), (OXIDES, "layered-oxide"), (OTHERS, OTHER)
    return next((c for begins, c in known if name.startswith(begins)), "")


def _window(text: str) -> tuple[float, float]:
    try:
        low, high = (float(x) for x in text.split(","))
    except ValueError:
        raise ValueError(
            f"--window {text!r}: expected two states of charge, such as 0.1,0.9."
        ) from None
    return low, high


def _taken(a: argparse.Namespace) -> list[str]:
    """Conditions without which a number of cycles says nothing, and were not given."""
    usual = {
        "temperature": "25 degC",
        "window": "the full window",
        "rate": "1C",
        "years": "one cycle a day",
    }
    return [
        f"{name} ({text})" for name, text in usual.items() if getattr(a, name) is None
    ]
