"""`naion fit`: a fit described in TOML.

cell = "nfm_hc_18650"          # a set or a cell.json
mesh = [6, 3, 6, 16]           # optional: n_neg, n_sep, n_pos, n_r
double_layer = 0.2             # optional, for impedance: of the particles [F.m-2]
double_layer_exponent = 0.9    # optional: depressed arcs, 0.5 to 1; else 1, a capacitor
half_cell = "negative"         # optional: this electrode of the cell against metal

[[data]]
file = "discharge_1C.csv"      # relative to the TOML file
kind = "discharge"             # time_s, current_A, voltage_V from the charged state
temperature = 25               # [degC]; else the file's temperature_degC
sigma = 0.01                   # [V], optional

[[data]]
file = "drive.csv"
kind = "profile"               # V(t) under the measured current, all of which flows; at
                               # most 400 voltages are compared, as the report says
soc = 0.8                      # start; or discharged = 0.3 [A.h from charged]

[[data]]
file = "cell_07.txt"           # as the cycler exports it: `naion data cell_07.txt`
format = "maccor"              # optional; or columns, units and sign of any table:
columns = {time = "Zeit", current = "I", voltage = "U"}
units = {time = "min", current = "mA"}
positive = "charge"            # what a positive current of the file does
steps = [3, 4]                 # optional: from, to, as `naion data` counts them
kind = "charge"                # V(t) of a charge and of the hold behind it
soc = 0.0                      # or discharged; else the discharged state
# kind = "cycles", "gitt"      # as "profile": all that was done, rests included
# kind = "relaxation"          # voltages at rest alone, after all that flowed before
# kind = "pulses"              # resistances of all pulses, with times = [1.0, 10.0] [s]
# compare = ["voltage", "negative"]     # of a three-electrode cell; else all it has

[[data]]
file = "segments_15degC.csv"   # segment, duration_s, current_A, loaded_V, rest_V
kind = "segments"              # segment means and rest voltages
rest = 360                     # [s]

[[data]]
file = "eis_50.mpt"            # as the instrument exports it: `naion data eis_50.mpt`
kind = "impedance"             # of the full cell at rest; arcs need double_layer (above)
soc = 0.5                      # or discharged
spectrum = 1                   # optional: of a file of several
columns = {frequency = "f", real = "Z1", imaginary = "Z2"}   # or modulus, phase; of any
units = {impedance = "mohm"}   # table; "ohm.cm2" for an area, phase = "rad"
imaginary = "-Im"              # what that column holds; else as its label says
frequencies = [0.01, 1e4]      # [Hz], optional: what is compared
relative_sigma = 0.02          # of |Z|, and floor = 1e-5 [ohm] at least

[[data]]
kind = "pulse"
current = 1.5                  # [A]
times = [1.0, 10.0]            # [s]
resistance = [0.091, 0.100]    # [ohm]
discharged = 0.8               # [A.h from charged]
temperature = 25

[[free]]
path = "negative.particle.rate_constant.scale"   # or a list of tied paths
bounds = [0.05, 20.0]
transform = "log"              # or "linear"
prior = 0.7                    # standard deviation, transformed; optional

[[free]]
path = "negative.double_layer.exponent"          # how depressed this electrode's arc is
bounds = [0.5, 1.0]

[[free]]
path = "lead_inductance"       # [H] of impedance tests, or lead_resistance [ohm]
bounds = [0.0, 1e-5]
prior = 1e-6

[[ocp_correction]]
electrode = "positive"
knots = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98]     # stoichiometry
prior = 0.05                   # [V]
smooth = 0.03                  # [V], of second differences
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from .. import plot
from .._files import read_toml, writable_folder, write_whole
from .._pictures import content_of
from ..batch import Checkpoint
from ..fit import (
    LEFT_OUT_HEADER,
    Fit,
    Kind,
    LeftOut,
    agreement,
    conditions_of,
    doubts,
    least_squares,
    left_out,
    multi_start,
    off_limits,
    scores,
    write_fitted_cell,
)
from ..report import Figure, Report, TextTable
from ._exit import EXIT
from ._file_options import file_options, files_named, reading_of, reading_options
from ._fit_words import in_sentences
from ._said import aloud
from ._streams import say
from ._template import template


def options(p: argparse.ArgumentParser) -> None:
    """Which file, and where to write."""
    out = "folder to write; with --template the TOML file"
    file_options(p, __doc__, _schema, "fit", out=out, required=False)
    p.add_argument(
        "--starts",
        type=_count,
        default=1,
        metavar="N",
        help="fit from N starts, drawn from the priors or between the bounds, and say "
        "whether they agree",
    )
    p.add_argument(
        "--left-out",
        action="store_true",
        help="also predict each test from a fit to the others: one fit more for each. "
        "Bands of `naion predict` are then as wide as these predictions are wrong",
    )
    p.add_argument(
        "--template",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="write a commented TOML file that uses these measured files; --out names it, "
        "else FIT.toml. The options below say how they are read",
    )
    p.add_argument("--cell", help="of the template: a set or a cell.json")
    reading_options(p)


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MOST_STARTS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of starts: expected a whole number from 1 to "
            f"{MOST_STARTS:,}, such as 8."
        )
    return int(text)


def _refuse(arguments: argparse.Namespace, usual: dict[str, Any], why: str) -> None:
    """Options that would have no effect.

    Args:
        arguments: of the command.
        usual: what they are if they are not given, by name.
        why: they would have none.

    Raises:
        ValueError: naming the first that is given.
    """
    for name, value in usual.items():
        given = getattr(arguments, name)
        if given != value:
            shown = "" if given is True else f" {given}"
            raise ValueError(f"--{name.replace('_', '-')}{shown} is {why}.")


def _schema() -> str:
    from .._file_models import json_schema
    from ._fit_schema import FitFile

    return json_schema(FitFile)


def command(arguments: argparse.Namespace) -> int:
    """Fit; the exit status says whether the fitted numbers make sense."""
    if arguments.template:
        _refuse(arguments, OF_FITS, "of a fit, and --template makes its file alone")
        return _write_template(arguments)
    _refuse(
        arguments,
        OF_TEMPLATES,
        "of --template; in a fit the TOML file says it: cell at the top, and columns, "
        "units, positive, format, imaginary or sheet in [[data]]",
    )
    if arguments.file is None or arguments.out is None:
        raise ValueError(
            "naion fit needs a TOML file and --out: naion fit FIT.toml --out fitted. To "
            "begin one from measured files: naion fit --template a.csv b.csv"
        )
    senseless = fit_from_file(
        arguments.file, arguments.out, arguments.starts, arguments.left_out
    )
    return EXIT["bad_input"] if senseless else EXIT["completed"]


def _write_template(arguments: argparse.Namespace) -> int:
    """Write a FIT.toml from measured files."""
    if arguments.file is not None:
        raise ValueError(f"--template makes a TOML file; {arguments.file} is one more.")
    files = files_named(arguments.template)
    to = arguments.out or Path("FIT.toml")
    if to.exists():
        raise ValueError(f"{to} exists; give another name with --out.")
    text = template(files, to, arguments.cell, reading_of(arguments))
    write_whole(to, text)
    if len(files) > 1:
        print(
            f"{len(files)} files: their tests are of ONE cell, which is fitted to all. Of "
            "several cells a fit for each: write the template of one file, and let `naion "
            "sweep` repeat it (naion sweep --help, a fleet of fits)."
        )
    print(f"wrote {to}; read it, then: naion fit {to} --out fitted")
    return EXIT["completed"]


MOST_STARTS = 10_000
"""Of a fit; more take days, and find nothing else."""

OF_FITS = {"starts": 1, "left_out": False}
OF_TEMPLATES: dict[str, Any] = {
    **dict.fromkeys(("cell", "format", "positive", "imaginary", "sheet")),
    **{"column": [], "unit": []},
}
"""Options that a fit, or a template, has for itself, where they are not given."""

SEARCH = "search"
"""Folder in which a fit that is under way is kept; it goes when the fit is written."""


def fit_from_file(
    file: Path, out: Path, starts: int = 1, leave_out: bool = False
) -> int:
    """Run the fit; writes cell.json, report.html, report.md and figures below `out`.

    One that was stopped goes on where it was.

    Args:
        file: TOML.
        out: folder.
        starts: from how many points to fit; the best is written.
        leave_out: also predict each test from a fit to the others.

    Returns:
        how many tests the fitted cell does not describe at all, and at how many of its
        voltage limits it does not rest; see `naion.fit.doubts` and `off_limits`.

    Raises:
        ValueError: for anything wrong in the file or its data, saying where.
    """
    from ._fit_problem import problem_of

    try:
        problem, name = problem_of(read_toml(file), file)
    except ValueError as error:
        raise ValueError(f"{error} `naion docs fit` explains these files.") from error
    # A test is a condition, whatever it shares with others; said before a long fit.
    by_test = {e.name: (e.name,) for e in problem.experiments}
    if leave_out:
        conditions_of(problem.experiments, by_test)
    writable_folder(out)
    for e in problem.experiments:
        if e.note:
            aloud(f"{e.name}: {e.note}")
    keep = Checkpoint(out / SEARCH, {"kind": "fit"})
    shown = {"keep": keep, "progress": aloud}
    if starts == 1:
        fit, agreed = least_squares(problem, **shown), ""
    else:
        fits = multi_start(problem, starts, **shown)
        fit, agreed = fits[0], agreement(fits, starts)
        print(agreed)
    left = left_out(fit, by_test, **shown) if leave_out else None
    if left is not None:
        print(left)
    write_fitted_cell(out / "cell.json", fit, name, left)
    wrong = [f"this fit makes no sense: {said}" for said in doubts(fit)]
    wrong += [f"this fit is not done: {said}" for said in off_limits(fit)]
    sentences = in_sentences(fit)
    _report(fit, name, [*wrong, *sentences], agreed, left).write(out)
    shutil.rmtree(keep.folder)
    for said in wrong:
        say(f"naion: {said}")
    print("\n".join(sentences))
    print(f"wrote {out / 'cell.json'} and {out / 'report.html'}")
    return len(wrong)


def _report(
    fit: Fit, name: str, sentences: list[str], agreed: str, left: LeftOut | None
) -> Report:
    """What came out in words, then scores, what was compared, parameters and figures."""
    report = Report(f"Fit of {name}")
    for said in sentences:
        report.paragraph(f"{said[:1].upper()}{said[1:]}")
    if agreed:
        report.paragraph(agreed)
    if left is None:
        report.add(TextTable(["test", "what", "model against data"], scores(fit)))
    else:
        report.add(TextTable(list(LEFT_OUT_HEADER), left.rows))
        for said in left.failed:
            report.paragraph(said)
    experiments = fit.problem.experiments
    notes = [[e.name, e.note] for e in experiments if e.note]
    if notes:
        report.add(TextTable(["test", "what is compared"], notes))
    header = ["parameter", "value", "90 % interval", "at a bound"]
    table = [
        [
            r["name"],
            f"{r['value']:.5g}",
            f"{r['low']:.4g} to {r['high']:.4g}",
            "yes" if r["at_bound"] else "",
        ]
        for r in fit.table()
    ]
    report.add(TextTable(header, table))
    for i, (e, m) in enumerate(zip(experiments, fit.predictions, strict=True)):
        if any(o.kind != Kind.RESISTANCE for o in e.observations):
            axes = plot.fit(e, m)
            report.add(Figure(f"fit_{i}", content_of(axes.figure), e.name))
    return report
