"""`naion sweep`, fleets of fits, claims, designs, the demo and the doctor."""

from . import tables
from .good import CLAIMS, DESIGN, FIT, FLEET, SWEEP, record
from .judge import Case

CELLS = "name,celsius\na,25\nb,10\n"


def _fleet(
    name: str,
    cells: str | bytes,
    place: str,
    given: str,
    expected: str,
    fleet: str = FLEET,
    fit: str = FIT,
    argv: tuple[str, ...] = ("sweep", "f.toml", "--out", "out"),
) -> Case:
    files: dict[str, str | bytes] = {
        "f.toml": fleet,
        "cells.csv": cells,
        "fit.toml": fit,
        "d.csv": record(),
    }
    return Case("fleet", name, argv, place, given, expected, files)


def _fleets() -> list[Case]:
    f = _fleet
    return [
        f("empty table", "", "cells.csv", "", "name"),
        f("a header alone", "name\n", "cells.csv", "", "row"),
        f("no names", "cell\na\n", "cells.csv", "", "'name'"),
        f("a name twice", "name\na\na\n", "cells.csv", "'a'", "twice"),
        f("a path as name", "name\n../a\n", "cells.csv", r"\.\./a", "letters"),
        f("an empty name", "name,x\n,1\n", "cells.csv", "''", "letters"),
        f("a row too long", "name\na,b\n", "cells.csv", "'a'", "header"),
        f("a row too short", "name,x\na\n", "cells.csv", "'a'", "header"),
        f(
            "no fit",
            CELLS,
            "f.toml",
            "fit",
            "template",
            'cells = "cells.csv"\nfit = 3\n',
        ),
        f("no cells", CELLS, "f.toml", "cells", "CSV", 'fit = "fit.toml"\n'),
        f(
            "no such table",
            CELLS,
            "nocells.csv",
            "nocells.csv",
            "no such file",
            'fit = "fit.toml"\ncells = "nocells.csv"\n',
        ),
        f(
            "no such template",
            CELLS,
            "nofit.toml",
            "nofit.toml",
            "no such file",
            'fit = "nofit.toml"\ncells = "cells.csv"\n',
        ),
        f("unknown key", CELLS, "f.toml", "chunk", "at_once", FLEET + "chunk = 3\n"),
        f("at_once 0", CELLS, "at_once", "0", "whole", FLEET + "at_once = 0\n"),
        f(
            "max_evaluations 0.5",
            CELLS,
            "max_evaluations",
            "0.5",
            "whole",
            FLEET + "max_evaluations = 0.5\n",
        ),
        f("a binary table", bytes(range(256)), "cells.csv", "", "text|name"),
        f(
            "template is not TOML",
            CELLS,
            "fit.toml",
            "end of document",
            "TOML",
            fit="cell =",
        ),
    ]


def _claims() -> list[Case]:
    argv = ("claims", "--claims", "c.toml", "--out", "out")
    found = tables.cases("claims.txt", "claims", argv, "c.toml", CLAIMS)
    options = (
        ("draws 1", ("--draws", "1"), "--draws", "1", "2 to"),
        ("draws -5", ("--draws", "-5"), "--draws", "-5", "2 to"),
        ("draws 1e9", ("--draws", "1000000000"), "--draws", "1000000000", "2 to"),
        ("draws 1.5", ("--draws", "1.5"), "--draws", "1.5", "int|whole"),
        ("no such claim", ("--claim", "naxta"), "claim", "naxta", "naxtra"),
        (
            "no such cell",
            ("--cell", "celll.json"),
            "celll.json",
            "celll.json",
            "[Ss]et",
        ),
        (
            "no such file",
            ("--claims", "mine.toml"),
            "mine.toml",
            "mine.toml",
            "no such file",
        ),
        ("a cell that is CSV", ("--cell", "d.csv"), "d.csv", "JSON", "JSON"),
        (
            "out is a file",
            ("--claim", "naxtra-energy", "--out", "d.csv"),
            "d.csv",
            "is a file",
            "folder",
        ),
    )
    for name, argv, place, given, expected in options:
        files: dict[str, str | bytes] = {"d.csv": record()}
        whole = ("claims", "--out", "out", *argv)
        found.append(Case("claims", name, whole, place, given, expected, files))
    return found


def _designs() -> list[Case]:
    argv = ("designs", "mine", "--file", "f.toml")
    found = tables.cases("designs.txt", "designs", argv, "f.toml", DESIGN)
    argv = ("designs", "nfm")
    found.append(
        Case("designs", "no such design", argv, "design", "'nfm'", "nfm_prismatic")
    )
    argv = ("designs", "--file", "f.toml")
    found.append(
        Case("designs", "no such file", argv, "f.toml", "f.toml", "no such file")
    )
    return found


def _others() -> list[Case]:
    f: dict[str, str | bytes] = {"file": ""}
    return [
        Case(
            "demo",
            "out is a file",
            ("demo", "--out", "file"),
            "file",
            "file",
            "folder|exists",
            f,
        ),
        Case(
            "demo",
            "out below a file",
            ("demo", "--out", "file/x"),
            "file",
            "file",
            "folder|directory",
            f,
        ),
        Case(
            "demo", "an argument", ("demo", "file"), "file", "file", "unrecognized", f
        ),
        Case(
            "demo",
            "a value for --full",
            ("demo", "--full=yes"),
            "--full",
            "yes",
            "argument",
        ),
        Case(
            "sweep",
            "processes",
            ("sweep", "s.toml", "--out", "out", "--cluster", "local:no"),
            "cluster",
            "local:no",
            "local:4",
            {"s.toml": SWEEP},
        ),
        Case(
            "sweep",
            "no such file",
            ("sweep", "s.toml", "--out", "out"),
            "s.toml",
            "s.toml",
            "no such file",
        ),
        Case(
            "sweep",
            "out is a file",
            ("sweep", "s.toml", "--out", "s.toml"),
            "s.toml",
            "s.toml",
            "folder",
            {"s.toml": SWEEP},
        ),
        Case("doctor", "an argument", ("doctor", "x"), "x", "x", "unrecognized"),
    ]


def cases() -> list[Case]:
    """Every command that does many things, or none."""
    argv = ("sweep", "s.toml", "--out", "out")
    sweeps = tables.cases("sweep.txt", "sweep", argv, "s.toml", SWEEP)
    return [*sweeps, *_fleets(), *_claims(), *_designs(), *_others()]
