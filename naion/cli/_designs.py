"""`naion designs`: list designs, or show one with its data sheet and its masses."""

import argparse
from pathlib import Path

from ..design import available, load, schema
from ..parameters import QUALITIES
from ._file_options import schema_option


def options(p: argparse.ArgumentParser) -> None:
    """Which, and of which file."""
    p.add_argument("name", nargs="?")
    p.add_argument("--file", type=Path, help="a TOML file of your own")
    schema_option(p, schema)


def command(arguments: argparse.Namespace) -> int:
    """List, or show."""
    if arguments.name is None:
        for name in available(arguments.file):
            print(f"{name:16s} {load(name, arguments.file).title}")
        return 0
    chosen = load(arguments.name, arguments.file)
    print(f"{chosen.name}: {chosen.title}\nmaterials: {chosen.materials or 'none'}")
    print("quality: " + ", ".join(f"{k} {word}" for k, word in QUALITIES.items()))
    for i in chosen.inputs.values():
        between = "" if i.range is None else "{:g} ... {:g}".format(*i.range)
        row = f"{i.quality}  {i.name:28s} {i.value:>8g} {i.unit:7s} {between:18s}"
        print(f"{row} {i.source}")
    d = chosen.design()
    print("\npart            mass [kg]   share")
    parts = d.masses
    for name in ("positive", "negative", "foils", "separator", "electrolyte"):
        _row(name, getattr(parts, name), parts.total)
    _row("packaging", parts.packaging, parts.total)
    _row("not listed", parts.rest, parts.total)
    _row("cell", parts.total, parts.total)
    print(f"area {float(d.area):.4g} m2, N/P {float(d.balance.n_to_p):.3f}")
    if "voltage" in chosen.inputs:
        s = chosen.data_sheet()
        print(
            f"{float(s.capacity):.4g} Ah, {float(s.energy):.4g} Wh, "
            f"{float(s.specific_energy):.0f} Wh/kg, {float(s.energy_density):.0f} Wh/L, "
            f"{1e3 * float(s.electrolyte):.1f} g/Ah of electrolyte"
        )
    return 0


def _row(name: str, mass, total) -> None:
    print(f"{name:14s} {float(mass):10.4g} {100 * float(mass / total):6.1f} %")
