"""Good files, of which the bad ones are made."""

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import naion as na
from naion.io import write_bpx, write_cell
from naion.parameters import load

SET = "nfm_hc_18650"
"""A cell of 1.5 A.h between 1.5 and 4.1 V, with laws in temperature."""

HEAD = "time_s,current_A,voltage_V\n"


def profile(head: str = "time_s,current_A\n", rows: int = 8) -> str:
    """A measured current: 1 A, then rest."""
    return head + "".join(f"{10 * i},{1.0 if i < 5 else 0.0}\n" for i in range(rows))


def record(head: str = HEAD, current: float = 1.5, rows: int = 40) -> str:
    """A discharge at 1C with voltages that the cell could have."""
    V = np.linspace(3.9, 2.4, rows)
    return head + "".join(f"{80 * i},{current:g},{V[i]:.4f}\n" for i in range(rows))


FIT = f"""
cell = "{SET}"
mesh = [3, 2, 3, 6]

[[data]]
file = "d.csv"
kind = "discharge"
temperature = 25
sigma = 0.01

[[free]]
path = "contact_resistance.scale"
bounds = [0.05, 20.0]
transform = "log"
"""

PULSE = """
[[data]]
kind = "pulse"
current = 1.5
times = [1.0, 10.0]
resistance = [0.09, 0.10]
discharged = 0.5
temperature = 25
"""

CORRECTION = """
[[ocp_correction]]
electrode = "positive"
knots = [0.4, 0.6, 0.8]
prior = 0.05
"""

SWEEP = f"""
cell = "{SET}"
protocol = ["Discharge at {{rate}}C for 20 s"]
mesh = [3, 2, 3, 6]

[[vary]]
path = "positive.particle.diffusivity.scale"
range = [0.5, 2.0]
spacing = "log"
count = 2

[[vary]]
name = "rate"
values = [1.0, 2.0]

[[vary]]
name = "temperature"
values = [25, 10]
"""

FLEET = """
fit = "fit.toml"
cells = "cells.csv"
"""

CLAIMS = """
[claim.life]
maker = "Nobody"
product = "a cell"
said = "5000 cycles"
date = "2026"
source = "a test"
leaves_out = "everything"
[[claim.life.reading]]
text = "full cycles"
question = "fade"
measured_cycles = 1000
loss_percent = { value = 10.0, range = [8.0, 12.5], quality = "M", source = "test" }
exponent = { value = 0.5, range = [0.4, 0.625], quality = "A", source = "test" }
require = [{ of = "cycles", at_least = 5000.0 }]
"""

DESIGN = """
[mine]
like = "nfm_18650"
title = "mine"
[mine.positive]
loading = { value = 17.0, quality = "M", source = "teardown", range = [16.0, 18.0] }
"""


@functools.cache
def cell_json() -> str:
    """A set as a cell.json."""
    return written(lambda path: write_cell(path, load(SET), name="mine"))


@functools.cache
def bpx_json() -> str:
    """A set as a BPX file."""
    return written(lambda path: write_bpx(path, load("lfp_aboutenergy")))


@functools.cache
def solution() -> bytes:
    """A saved solution of the shortest simulation."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.npz"
        short().save(path)
        return path.read_bytes()


@functools.cache
def short() -> Any:
    """A simulation of a few seconds on the smallest mesh, without its states."""
    return na.simulate(load(SET), "Discharge at 1C for 20 s", model=tiny())


def tiny() -> na.DFN:
    """The model of all cases, so that few programs are compiled."""
    return na.DFN(na.Mesh(3, 2, 3, 6))


def written(write: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.json"
        write(path)
        return path.read_text("utf-8")


def changed(text: str, path: str, value: Any) -> str:
    """JSON with the value at a path, of names and numbers with slashes, replaced.

    `value` may be `DELETED`.
    """
    data = json.loads(text)
    *way, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    node = data
    for part in way:
        node = node[part]
    if value is DELETED:
        del node[last]
    else:
        node[last] = value
    return json.dumps(data)


DELETED = object()
