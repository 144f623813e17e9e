"""`naion sets`."""

import argparse

from ..parameters import QUALITIES, available, load_set


def options(p: argparse.ArgumentParser) -> None:
    """Which."""
    p.add_argument("name", nargs="?")


def command(arguments: argparse.Namespace) -> int:
    """List the sets, or every number of one."""
    if arguments.name is None:
        for name in available():
            print(f"{name:28s} {load_set(name).title}")
        return 0
    chosen = load_set(arguments.name)
    print(f"{chosen.name}: {chosen.title}\ncite: {chosen.citation}")
    print(f"licence: {chosen.licence}")
    print("quality: " + ", ".join(f"{k} {word}" for k, word in QUALITIES.items()))
    print("range of assumed numbers; of the scale where a table or a form is assumed\n")
    for p in chosen.provenance:
        value = f"{p.value:.6g}" if isinstance(p.value, float) else p.value
        between = "" if p.range is None else "{:g} ... {:g}".format(*p.range)
        print(
            f"{p.quality}  {p.name:52s} {value:>30s} {p.unit:10s} {between:22s} "
            f"{p.source}"
        )
    return 0
