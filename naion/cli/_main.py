"""Commands, and the exit statuses of what can go wrong.

A command is imported when it is asked for: help comes at once.
"""

import argparse
import difflib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

from .._version import __version__
from ._exit import EXIT
from ._streams import let_go, named_streams, say

SHELLS = ("bash", "zsh", "fish")

KEPT = "what was finished is kept, and the same command goes on from there"


class Command(NamedTuple):
    """A command.

    Attributes:
        module: of this package, with `options(parser)` and `command(arguments)`.
        help: one line.
        when_stopped: what to say after Ctrl-C.
    """

    module: str
    help: str
    when_stopped: str = "nothing was written"


COMMANDS = {
    "run": Command("_run", "simulate a protocol or a measured profile"),
    "predict": Command("_predict", "the same with 90 %% intervals"),
    "data": Command("_data", "what is in a measured file, and how a fit would use it"),
    "fit": Command(
        "_fit_file",
        "fit a cell to your own data",
        "the same command goes on from there",
    ),
    "sweep": Command("_sweep", "many simulations, or fits of many cells", KEPT),
    "sets": Command("_sets", "list parameter sets, show one, begin your own"),
    "designs": Command("_designs", "list cell designs, or show one"),
    "cost": Command("_cost", "what designs cost, and at which price of lithium"),
    "duty": Command("_duty", "what batteries do all day, and how cells serve it"),
    "life": Command("_life", "capacity left after cycles and years, with an interval"),
    "claims": Command("_claims", "audit public claims about cells", KEPT),
    "docs": Command("_docs", "pages of the documentation, offline"),
    "doctor": Command("_doctor", "devices, precision, cache, kernels"),
    "demo": Command("_demo", "the main job on embedded real data", KEPT),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = sys.argv[1:] if argv is None else list(argv)
    if argv is None:  # a process of its own: its figures go to files, never to windows
        os.environ.setdefault("MPLBACKEND", "agg")
    try:
        with named_streams():
            status = _done(given)
            sys.stdout.flush()
            return status
    except BrokenPipeError:
        # Who read our output has gone, as in `naion sets | head`: nobody to tell.
        return EXIT["pipe_closed"]
    except KeyboardInterrupt:
        # While what a command needs was imported.
        say("naion: stopped; nothing was written")
        return EXIT["stopped"]
    except OSError as error:
        say(f"naion: {error.filename}: {error.strerror}")
        return EXIT["bad_input"]
    finally:
        let_go()


def _done(given: list[str]) -> int:
    """Do what is asked for.

    Raises:
        OSError: when standard output cannot be written to.
    """
    if given[:1] == ["--print-completion"]:
        return _completion(given[1:])
    arguments = _parser(given).parse_args(given)
    from .._precision import enable_x64
    from ._said import cautions_as_lines, complaint, crash, voice

    with cautions_as_lines(), voice(arguments.verbose, arguments.quiet):
        try:
            enable_x64()
            return arguments.command(arguments)
        except KeyboardInterrupt:
            say(f"naion: stopped; {arguments.when_stopped}")
            return EXIT["stopped"]
        except BrokenPipeError:
            raise
        except Exception as error:
            said = complaint(error)
            if said is not None:
                say(f"naion: {said}")
                return EXIT["bad_input"]
            say(f"naion: {crash(error)}")
            return EXIT["internal"]


KINDS = {
    "float": "number: expected one without a unit and with a decimal point, such as 2.5",
    "int": "whole number: expected one such as 3",
}
"""What argparse calls by Python's names."""


class _Parser(argparse.ArgumentParser):
    """One whose errors name the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        message = re.sub(
            r"invalid (float|int) value: (.+)",
            lambda m: f"{m[2]} is no {KINDS[m[1]]}",
            message,
        )
        unknown = re.match(r"unrecognized arguments: .*?(--[\w-]+)", message)
        near = difflib.get_close_matches(unknown[1], _options(self)) if unknown else []
        meant = f". Did you mean {near[0]}?" if near else ""
        super().error(message + meant)

    def _print_message(self, message: str, file: Any = None) -> None:
        """As argparse does, but that help which cannot be printed is no success."""
        if file is sys.stdout:
            file.write(message)
            file.flush()
        else:
            super()._print_message(message, file)


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """Options of a parser and of its commands."""
    found: set[str] = set()
    for action in parser._actions:
        found.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                found |= _options(command)
    return found


def _add_voice(parser: argparse.ArgumentParser, verbose: Any, quiet: Any) -> None:
    """Options that all commands have, before and behind the command's name."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=verbose,
        help="lines of progress instead of a bar; -vv: all that is logged",
    )
    how.add_argument(
        "-q", "--quiet", action="store_true", default=quiet, help="no progress"
    )


def _completion(given: list[str]) -> int:
    """Print the completion of a shell, for all commands."""
    if len(given) != 1 or given[0] not in SHELLS:
        known = ", ".join(SHELLS)
        say(f"naion: --print-completion takes one of {known}.")
        return EXIT["bad_input"]
    import shtab

    print(shtab.complete(_parser([], every=True), shell=given[0]))
    return EXIT["completed"]


def _parser(given: list[str], every: bool = False) -> argparse.ArgumentParser:
    """The parser, with the options of the command that is asked for, or of all."""
    parser = _Parser(
        prog="naion",
        description="Doyle-Fuller-Newman model of sodium-ion cells.",
        epilog="Exit status: 0 completed, 1 cut-off reached before the end, 2 bad "
        "input, 3 another physical end (salt, surface, power), 4 numerical failure, "
        "5 internal error, 130 stopped by Ctrl-C, 141 standard output is read by nobody.",
    )
    parser.add_argument("--version", action="version", version=f"naion {__version__}")
    parser.add_argument(
        "--print-completion",
        choices=SHELLS,
        help="print what makes a shell complete naion's commands and options",
    )
    _add_voice(parser, 0, False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    asked = next((text for text in given if not text.startswith("-")), "")
    for name, about in COMMANDS.items():
        one = commands.add_parser(name, help=about.help)
        _add_voice(one, argparse.SUPPRESS, argparse.SUPPRESS)
        if every or name == asked:
            module = _module(about)
            module.options(one)
            one.set_defaults(command=module.command, when_stopped=about.when_stopped)
    return parser


def _module(command: Command) -> ModuleType:
    return importlib.import_module(f".{command.module}", __package__)
