"""`naion sweep`: many simulations, or fits of many cells, described in TOML.

A sweep of parameters:

cell = "nvpf_hc_chayambuka2022"     # a set or a cell.json
protocol = ["Discharge at {rate}C until 2.0 V"]
start = "charged"                   # as in `naion run`; optional, as all below
# temperature = 25                  # [degC], where it does not vary
thermal = "lumped"                  # or "isothermal", "stack"
mesh = [6, 3, 6, 16]                # n_neg, n_sep, n_pos, n_r
rtol = 5e-4
max_steps = 5000                    # most steps of each lane; else by the protocol
chunk = 256                         # lanes computed and kept at once; else chosen
# draws = 1000                      # Latin hypercube of the ranges, instead of a grid:
# seed = 0                          # then without count

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
from functools import partial
from pathlib import Path

from .._files import read_toml
from ._exit import EXIT
from ._file_options import file_options
from ._said import aloud


def options(p: argparse.ArgumentParser) -> None:
    """Which file, where to write, and with whom."""
    file_options(p, __doc__, _schema)
    p.add_argument(
        "--cluster",
        metavar="WHERE",
        help="workers that share the work: local:N on this machine, slurm inside srun, or "
        "tcp://HOST:PORT or a scheduler's file of Dask; all need to see the folder",
    )


def _schema() -> str:
    from .._file_models import json_schema
    from ._sweep_schema import FleetFile, SweepFile

    return json_schema(SweepFile | FleetFile)


def command(arguments: argparse.Namespace) -> int:
    """Sweep; the exit status says whether any lane failed."""
    failed = sweep(arguments.file, arguments.out, arguments.cluster)
    return EXIT["numerical"] if failed else EXIT["completed"]


def sweep(file: Path, out: Path, where: str | None = None) -> int:
    """Run what `file` describes; writes table.csv and what to resume from below `out`.

    Args:
        where: see `naion.batch.cluster`; none: in this process.

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

        job = partial(fit_fleet, checked(FleetFile, text, file), file, out)
    else:
        from ._simulations import simulations

        job = partial(simulations, checked(SweepFile, text, file), file, out)
    if where is None:
        return job()
    from ..batch import cluster, is_worker

    with cluster(where, out, progress=aloud) as executor:
        return 0 if is_worker(where) else job(executor)
