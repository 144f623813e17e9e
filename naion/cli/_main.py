"""Arguments and exit statuses; the work is done by the rest of naion."""

import argparse
import contextlib
import difflib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import jax

from naion_kernels import lanes, try_writing

from .. import parameters
from .._cache import compilation_cache, jax_folder
from .._files import writable_folder
from .._precision import enable_x64
from .._results import Result
from ..claims import DRAWS
from ..models import THERMAL
from ..simulation import Solution
from ..studies import demo
from ._claims import claims
from ._designs import designs
from ._fit_file import fit_from_file
from ._run import predict, run
from ._said import cautions_as_lines, complaint, crash
from ._sweep import __doc__ as sweep_text
from ._sweep import sweep

EXIT = {
    "completed": 0,
    "cut_off": 1,
    "bad_input": 2,
    "physical": 3,
    "numerical": 4,
    "internal": 5,
    "stopped": 130,
    "pipe_closed": 141,
}
"""Exit statuses: how a simulation ended, that the input was wrong, or that naion was."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = _parser().parse_args(argv)
    with cautions_as_lines():
        try:
            enable_x64()
            compilation_cache()
            if getattr(arguments, "distributed", None):
                _join_processes(arguments.distributed)
            status = arguments.command(arguments)
            sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            print(f"naion: stopped; {arguments.when_stopped}", file=sys.stderr)
            return EXIT["stopped"]
        except BrokenPipeError:
            # Who read our output has gone, as in `naion sets | head`: nobody to tell.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT["pipe_closed"]
        except Exception as error:
            said = complaint(error)
            if said is not None:
                print(f"naion: {said}", file=sys.stderr)
                return EXIT["bad_input"]
            print(f"naion: {crash(error)}", file=sys.stderr)
            return EXIT["internal"]


class _Parser(argparse.ArgumentParser):
    """One whose errors name the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: .*?(--[\w-]+)", message)
        near = difflib.get_close_matches(unknown[1], _options(self)) if unknown else []
        meant = f". Did you mean {near[0]}?" if near else ""
        super().error(message + meant)


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """Options of a parser and of its commands."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found |= _options(command)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="naion",
        description="Doyle-Fuller-Newman model of sodium-ion cells.",
        epilog="Exit status: 0 completed, 1 cut-off reached before the end, 2 bad "
        "input, 3 another physical end (salt, surface, power), 4 numerical failure, "
        "5 internal error, 130 stopped by Ctrl-C.",
    )
    parser.set_defaults(when_stopped="nothing was written")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function, text in (
        ("run", run, "simulate a protocol or a measured profile"),
        ("predict", predict, "the same with 90 %% intervals"),
    ):
        p = commands.add_parser(name, help=text)
        _run_options(p)
        p.set_defaults(command=lambda a, f=function: _ended(f(a)))
    fit = commands.add_parser("fit", help="fit a cell to your own data")
    fit.add_argument("file", type=Path, help="TOML file; see the README")
    fit.add_argument("--out", type=Path, required=True, help="folder to write")
    fit.set_defaults(command=_fit, when_stopped="a fit keeps nothing until it ends")
    many = commands.add_parser(
        "sweep",
        help="many simulations, or fits of many cells",
        description=sweep_text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    many.add_argument("file", type=Path, help="TOML file")
    many.add_argument("--out", type=Path, required=True, help="folder to write")
    many.add_argument(
        "--distributed",
        nargs="?",
        const="auto",
        metavar="HOST:PORT,N,K",
        help="as one of several processes: those of Slurm or MPI, or process K of N "
        "that meet at HOST:PORT; all need to see the folder",
    )
    kept = "what was finished is kept, and the same command goes on from there"
    many.set_defaults(command=_sweep, when_stopped=kept)
    sets = commands.add_parser("sets", help="list parameter sets, or show one")
    sets.add_argument("name", nargs="?")
    sets.set_defaults(command=_sets)
    shapes = commands.add_parser("designs", help="list cell designs, or show one")
    shapes.add_argument("name", nargs="?")
    shapes.add_argument("--file", type=Path, help="a TOML file of your own")
    shapes.set_defaults(command=designs)
    check = commands.add_parser("claims", help="audit public claims about cells")
    check.add_argument(
        "--cell", help="a fitted cell.json, or a set; none: the shipped fit"
    )
    check.add_argument(
        "--claim", action="append", default=[], help="name, or its beginning; none: all"
    )
    check.add_argument(
        "--claims", type=Path, help="a TOML file with claims of your own"
    )
    check.add_argument("--draws", type=int, default=DRAWS)
    check.add_argument("--out", type=Path, required=True, help="folder to write")
    check.set_defaults(command=claims, when_stopped=kept)
    doctor = commands.add_parser("doctor", help="devices, precision, cache, kernels")
    doctor.set_defaults(command=_doctor)
    show = commands.add_parser("demo", help="the main job on embedded real data")
    show.add_argument("--out", type=Path, default=Path("out"))
    show.add_argument(
        "--full",
        action="store_true",
        help="use the full data files: the folder NAION_DATA, else ../shared/data",
    )
    show.set_defaults(command=_demo, when_stopped=kept)
    return parser


def _run_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("cell", help="name of a set, or a cell.json")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--protocol", nargs="+", metavar="STEP", help="experiment strings"
    )
    what.add_argument("--profile", type=Path, help="CSV: time_s, current_A, ...")
    p.add_argument("--temperature", type=float, metavar="DEGC")
    p.add_argument(
        "--start",
        default="charged",
        help="charged, discharged, published, soc=0.8 or ocv=4.018",
    )
    p.add_argument("--thermal", choices=tuple(THERMAL), default="isothermal")
    p.add_argument("--cycles", type=int, default=1)
    p.add_argument("--rtol", type=float, default=5e-4)
    p.add_argument(
        "--max-steps", type=int, help="most steps of the solver; a safety net"
    )
    p.add_argument("--out", type=Path, required=True, help="CSV to write")


def _ended(solution: Solution) -> int:
    result = solution.result
    for row, reason in solution.skipped.items():
        print(f"step {row + 1} skipped: {reason}")
    print(f"{result.name.lower()}: {result.explanation}")
    if result == Result.COMPLETED:
        return EXIT["completed"]
    if result == Result.CUT_OFF:
        return EXIT["cut_off"]
    return EXIT["physical"] if result.is_physical else EXIT["numerical"]


def _fit(arguments: argparse.Namespace) -> int:
    senseless = fit_from_file(arguments.file, arguments.out)
    return EXIT["bad_input"] if senseless else EXIT["completed"]


def _sweep(arguments: argparse.Namespace) -> int:
    failed = sweep(arguments.file, arguments.out)
    return EXIT["numerical"] if failed else EXIT["completed"]


def _join_processes(text: str) -> None:
    """Become one of several processes, before JAX looks for devices."""
    if text == "auto":
        jax.distributed.initialize()
        return
    try:
        address, n, k = text.split(",")
        jax.distributed.initialize(address, int(n), int(k))
    except ValueError:
        raise ValueError(
            f"--distributed {text}: expected HOST:PORT,N,K such as node1:9876,2,0."
        ) from None


def _sets(arguments: argparse.Namespace) -> int:
    if arguments.name is None:
        for name in parameters.available():
            print(f"{name:28s} {parameters.load_set(name).title}")
        return 0
    chosen = parameters.load_set(arguments.name)
    print(f"{chosen.name}: {chosen.title}\ncite: {chosen.citation}")
    print(f"licence: {chosen.licence}")
    print("quality: M measured, F fitted, D derived, S stated, A assumed")
    print("range of assumed numbers; of the scale where a table or a form is assumed\n")
    for p in chosen.provenance:
        value = f"{p.value:.6g}" if isinstance(p.value, float) else p.value
        between = "" if p.range is None else "{:g} ... {:g}".format(*p.range)
        print(
            f"{p.quality}  {p.path:52s} {value:>30s} {p.unit:10s} {between:22s} "
            f"{p.source}"
        )
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from .. import __version__

    print(f"naion {__version__}, jax {jax.__version__}")
    print(f"devices: {', '.join(str(d) for d in jax.devices())}")
    print(f"float64: {'on' if jax.config.values['jax_enable_x64'] else 'off'}")
    for name, find in (
        ("compilation cache", lambda: _written_to(jax_folder())),
        ("kernel cache", lambda: _written_to(lanes.folder())),
        ("kernels", lanes.trial),
    ):
        try:
            print(f"{name}: {find()}")
        except (OSError, RuntimeError, ValueError) as problem:
            print(f"{name}: none. {problem}")
    return 0


def _written_to(folder: Path) -> Path:
    try_writing(folder)
    return folder


def _demo(arguments: argparse.Namespace) -> int:
    demo(
        writable_folder(arguments.out),
        arguments.full,
        lambda text: print(text, flush=True),
    )
    return 0
