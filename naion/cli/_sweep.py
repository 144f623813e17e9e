"""`naion sweep`: many simulations, or fits of many cells, described in TOML.

A sweep of parameters:

cell = "nvpf_hc_chayambuka2022"     # a set or a cell.json
protocol = ["Discharge at {rate}C until 2.0 V"]
start = "charged"                   # as in `naion run`; optional, as all below
temperature = 25                    # [degC]
thermal = "lumped"                  # or "isothermal", "stack"
mesh = [6, 3, 6, 16]                # n_neg, n_sep, n_pos, n_r
rtol = 5e-4
max_steps = 5000                    # most steps of each lane; else by the protocol
chunk = 256                         # lanes computed and kept at once; else chosen
draws = 1000                        # Latin hypercube of the ranges; else a grid
seed = 0

[[vary]]
path = "negative.particle.diffusivity.scale"   # or a list of tied paths
range = [0.1, 10.0]                 # or values = [0.1, 1.0, 10.0]
spacing = "log"                     # or "linear"
count = 5                           # points of a range in a grid

[[vary]]
name = "rate"                       # a name in braces in the protocol
values = [0.5, 1.0, 2.0]

[[vary]]
name = "temperature"                # of the cell [degC]; or "soc", of the start
values = [-20, 0, 25]

A fleet of fits:

fit = "fit.toml"                    # as for `naion fit`; texts may hold {columns}
cells = "cells.csv"                 # a row for each cell; `name` and other columns
at_once = 128                       # fits under way at the same time; optional
max_evaluations = 30                # of each fit; optional
"""

import argparse
from pathlib import Path

import jax

from .._files import read_toml
from ._exit import EXIT
from ._file_options import file_options


def options(p: argparse.ArgumentParser) -> None:
    """Which file, where to write, and with whom."""
    file_options(p, __doc__, _schema)
    p.add_argument(
        "--distributed",
        nargs="?",
        const="auto",
        metavar="HOST:PORT,N,K",
        help="as one of several processes: those of Slurm or MPI, or process K of N "
        "that meet at HOST:PORT; all need to see the folder",
    )


def _schema() -> str:
    from .._file_models import json_schema
    from ._sweep_schema import FleetFile, SweepFile

    return json_schema(SweepFile | FleetFile)


def command(arguments: argparse.Namespace) -> int:
    """Sweep; the exit status says whether any lane failed."""
    if arguments.distributed:
        _join_processes(arguments.distributed)
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


def sweep(file: Path, out: Path) -> int:
    """Run what `file` describes; writes table.csv and what to resume from below `out`.

    Returns:
        how many lanes or fits failed.

    Raises:
        ValueError: for anything wrong in the file, saying where.
    """
    from .._file_models import checked
    from ._sweep_schema import FleetFile, SweepFile

    text = read_toml(file)
    if "fit" in text:
        from ._fleet import fit_fleet

        return fit_fleet(checked(FleetFile, text, file), file, out)
    from ._simulations import simulations

    return simulations(checked(SweepFile, text, file), file, out)
