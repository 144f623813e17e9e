"""`naion docs`: pages of the documentation, without a network.

The pages lie in the package; in a checkout they are those of its folder `docs`.
"""

import argparse
import difflib
import pydoc
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
FOLDERS = PACKAGE / "pages", PACKAGE.parent / "docs"
"""Where pages may lie: as installed, and in a checkout."""

TOPICS = {
    "start": ("start",),
    "pybamm": ("from-pybamm",),
    "pybop": ("from-pybop",),
    "simulate": ("simulate",),
    "data": ("data",),
    "half-cells": ("half-cells",),
    "fit": ("fit", "fit-file"),
    "uncertainty": ("uncertainty",),
    "cell": ("cell",),
    "claims": ("claims", "questions"),
    "cost": ("cost",),
    "duty": ("duty",),
    "life": ("life",),
    "packs": ("packs",),
    "batches": ("batches",),
    "clusters": ("clusters",),
    "commands": ("commands",),
    "equations": ("equations",),
    "numerics": ("numerics",),
    "sets": ("sets",),
    "validation": ("validation",),
    "performance": ("performance",),
    "limits": ("limits",),
    "variables": ("variables",),
    "glossary": ("glossary",),
    "structure": ("structure",),
    "extending": ("extending",),
}
"""Pages of each topic, in order."""


def options(p: argparse.ArgumentParser) -> None:
    """Which page, and whether to print it."""
    p.add_argument("topic", nargs="?", help="none: list all topics")
    p.add_argument(
        "--path", action="store_true", help="print where the pages lie, and not them"
    )


def command(arguments: argparse.Namespace) -> int:
    """List the topics, or show one; through a pager if there is a terminal."""
    if arguments.topic is None:
        for topic in TOPICS:
            print(f"{topic:12s} {title(pages(topic)[0])}")
        return 0
    found = pages(arguments.topic)
    if arguments.path:
        print(*found, sep="\n")
        return 0
    text = "\n".join(page.read_text(encoding="utf-8") for page in found)
    if sys.stdout.isatty():
        pydoc.pager(text)
    else:
        print(text)
    return 0


def pages(topic: str) -> list[Path]:
    """Files of a topic.

    Raises:
        ValueError: for a topic that is not known, or pages that are not installed.
    """
    if topic not in TOPICS:
        near = difflib.get_close_matches(topic, TOPICS, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"there is no page on {topic!r}; topics are {', '.join(TOPICS)}.{meant}"
        )
    for folder in FOLDERS:
        found = [folder / f"{name}.md" for name in TOPICS[topic]]
        if all(page.is_file() for page in found):
            return found
    raise ValueError(
        f"the pages on {topic!r} are in neither {FOLDERS[0]} nor {FOLDERS[1]}; install "
        "naion again."
    )


def title(page: Path) -> str:
    """The first heading."""
    with page.open(encoding="utf-8") as lines:
        return next((x for x in lines if x.startswith("# ")), page.stem)[2:].strip()
