"""`naion sets`: list parameter sets, show one, begin one of your own."""

import argparse
import re
from pathlib import Path

from .._files import write_whole
from ..parameters import QUALITIES, load_set, schema, template, titles


def options(p: argparse.ArgumentParser) -> None:
    """Which, or what else."""
    what = p.add_mutually_exclusive_group()
    what.add_argument("name", nargs="?", help="name of a set, or a TOML file")
    what.add_argument(
        "--new", metavar="NAME", help="write NAME.toml, a commented set to begin with"
    )
    what.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of such files"
    )


def command(arguments: argparse.Namespace) -> int:
    """List the sets, or every number of one; write one, or print their schema."""
    if arguments.schema:
        print(schema())
    elif arguments.new is not None:
        _write_new(arguments.new)
    elif arguments.name is None:
        for name, title in titles().items():
            print(f"{name:28s} {title}")
    else:
        _show(arguments.name)
    return 0


def _write_new(name: str) -> None:
    path = Path(name.removesuffix(".toml") + ".toml")
    if not re.fullmatch(r"[\w .+-]+", path.stem) or path.name == ".toml":
        raise ValueError(
            f"--new {name!r}: expected a name of letters, digits and . _ + -, with a "
            "folder before it if you like."
        )
    if path.exists():
        raise ValueError(f"{path} is there already; give another name.")
    write_whole(path, template(path.stem))
    print(f"wrote {path}; it loads as it is: naion sets {path}")


def _show(name: str) -> None:
    chosen = load_set(name)
    print(f"{chosen.name}: {chosen.title}\ncite: {chosen.citation}")
    print(f"licence: {chosen.licence}")
    print("quality: " + ", ".join(f"{k} {word}" for k, word in QUALITIES.items()))
    levels = {p.level for p in chosen.provenance if p.level is not None}
    within = " or ".join(f"{100.0 * level:.4g} %" for level in sorted(levels))
    print(
        f"range: holds the number with {within or 'some probability'}; of a factor on"
    )
    print(
        "a table or a formula; A=: the same assumption in all sets of the kind, which"
    )
    print("tells no chemistry from another\n")
    for p in chosen.provenance:
        value = p.value if isinstance(p.value, str) else f"{p.value:.6g}"
        between = "" if p.range is None else "{:g} ... {:g}".format(*p.range)
        kind = p.quality + ("=" if p.same_in_all else "")
        print(
            f"{kind:2s} {p.name:52s} {value:>30s} {p.unit:10s} {between:22s} {p.source}"
        )
