"""Numbers in other units than were meant: what is possible, and hardly so, is spoken of."""

import io
import json
from typing import Any

import numpy as np

import naion as na
from naion.io import read_cell
from naion.parameters import load

from .good import FIT, FLEET, SET, SWEEP, cell_json, changed, record
from .judge import Case

Files = dict[str, str | bytes]

OF_CELLS = (
    # field, factor, what is said of it
    ("negative/thickness", 1e3, "micrometres"),
    ("negative/particle/radius", 1e3, "nanometres"),
    ("negative/particle/c_max", 1e3, "mol.L-1"),
    ("negative/particle/diffusivity/scale", 1e5, "cm2.s-1"),
    ("negative/particle/rate_constant/temperature/energy", -1.0, "sign"),
    ("negative/particle/ocp/scale", 1e3, "millivolt"),
    ("negative/particle/ocp/scale", 1e-3, "kilovolt"),
    ("separator/thickness", 1e3, "micrometres"),
    ("electrolyte/concentration", 1e3, "mol.L-1"),
    ("electrolyte/conductivity/scale", 1e2, "mS.cm-1"),
    ("electrolyte/diffusivity/scale", 1e4, "cm2.s-1"),
    ("area", 1e4, "area in other units"),
    ("contact_resistance/curve/value", 1e3, "milliohm"),
    ("thermal/mass", 1e3, "gram"),
    ("thermal/specific_heat", 1e-3, "kJ"),
    ("nominal_capacity", 1e3, "mA.h"),
    ("limits/lower_voltage", -1.0, "below 0 V"),
)
"""Slips that no check of what is possible can refuse."""


def _cells() -> list[Case]:
    found = []
    for path, factor, hint in OF_CELLS:
        node: Any = json.loads(cell_json())["cell"]
        for part in path.split("/"):
            node = node[part]
        text = changed(cell_json(), f"cell/{path}", node * factor)
        part = next(
            p for p in reversed(path.split("/")) if p not in ("scale", "value", "curve")
        )
        found.append(
            Case(
                "units: cell.json",
                f"{path} times {factor:g}",
                lambda: read_cell("cell.json"),
                r"cell\.json",
                "" if hint in ("gram", "area in other units") else part.split("_")[0],
                hint,
                {"cell.json": text},
                answer="caution",
            )
        )
    return found


def _halves() -> list[Case]:
    return [
        Case(
            "units: half cells",
            "an area in cm2",
            lambda: na.half_cell(load(SET), area=2.01),
            *("area=2.01 m2", "20,100 cm2", "square metres"),
            answer="caution",
        )
    ]


HOURS = "time_s,current_A,voltage_V\n" + "".join(
    f"{80 * i / 3600:.6f},1.5,{3.9 - 0.03 * i:.3f}\n" for i in range(40)
)
GAP = "time_s,current_A,voltage_V\n" + "".join(
    f"{80 * i + (4e3 if i > 20 else 0)},1.5,{3.9 - 0.03 * i:.3f}\n" for i in range(40)
)
MIDNIGHT = "time_s,current_A,voltage_V\n86000,1,3.5\n86300,1,3.4\n200,1,3.3\n"
IN_KELVIN = "time_s,current_A,voltage_V,temperature_K\n0,1,3.5,25\n10,1,3.4,25\n"


def _records() -> list[Case]:
    door, argv = "units: records", ("fit", "fit.toml", "--out", "out")
    odd = (
        ("mA called A", record(current=1500.0), "1500 A", "milliampere"),
        ("hours called seconds", HOURS, "1.17 V", "hours"),
        ("a gap while current flows", GAP, "1 gap", "while 1.5 A flowed"),
    )
    found = [
        Case(
            *(door, name, argv, r"d\.csv", given, expected),
            {"fit.toml": FIT, "d.csv": text},
            answer="caution",
            statuses=(0,),
        )
        for name, text, given, expected in odd
    ]
    bad = (
        ("over midnight", MIDNIGHT, "row 4.*200 s", "midnight"),
        ("degC called kelvin", IN_KELVIN, "row 2", "in degC"),
    )
    found += [
        Case(door, name, ("data", "d.csv"), r"d\.csv", given, expected, {"d.csv": text})
        for name, text, given, expected in bad
    ]
    return found


def _matlab(rows: int = 40, **others: Any) -> bytes:
    from scipy.io import savemat

    t = 60.0 * np.arange(rows)
    table = {"time_s": t, "current_A": np.full(rows, 1.5), "voltage_V": 4.0 - t * 2e-4}
    made = io.BytesIO()
    savemat(made, others or table)
    return made.getvalue()


def _of_matlab() -> list[Case]:
    cases = (
        ("cut off", _matlab()[:400], "damaged or cut off", "-v7"),
        ("empty", b"", "empty", "MATLAB"),
        ("a text", b"time_s,current_A\n0,1\n1,1\n", "no MATLAB file", "-v7|CSV"),
        ("of version 7.3", b" " * 512 + b"\x89HDF\r\n\x1a\n", "7.3", "-v7"),
        ("a matrix alone", _matlab(x=np.eye(3)), "x \\(3x3", "time_s"),
        (
            "unequal lengths",
            _matlab(t=np.arange(9), V=np.arange(8)),
            "'t'|'V'",
            "columns",
        ),
    )
    found = [
        Case(
            "data: MATLAB",
            name,
            ("data", "d.mat"),
            r"d\.mat",
            given,
            expected,
            {"d.mat": c},
        )
        for name, c, given, expected in cases
    ]
    structure = {n: np.arange(9.0) for n in ("time_s", "current_A", "voltage_V")}
    found.append(
        Case(
            *("data: MATLAB", "a structure", ("data", "d.mat"), "rows", "9", ""),
            {"d.mat": _matlab(cell=structure)},
            answer="done",
            statuses=(0,),
        )
    )
    return found


ONE = SWEEP[: SWEEP.index("[[vary]]")].replace("{rate}", "1")


def _many() -> list[Case]:
    files: Files = {"fit.toml": FIT, "d.csv": record(), "s.toml": FLEET}
    alike = "name,file\na,d.csv\nb,d.csv\n"
    spare = "name,file,mass\na,d.csv,3\nb,d.csv,4\n"
    named = FIT.replace('"d.csv"', '"{file}"')
    argv = ("sweep", "s.toml", "--out", "out")
    return [
        Case(
            *("sweep", "a fleet on one file", argv, r"fit\.toml", r"cells\.csv", "braces"),
            {**files, "cells.csv": alike},
        ),
        Case(
            *("sweep", "a column for nothing", argv, r"cells\.csv", "mass", "braces"),
            {**files, "cells.csv": spare, "fit.toml": named},
            answer="caution",
            statuses=(0,),
        ),
        Case(
            *("sweep", "lanes that cannot be", argv, "2 lanes of 3", "1.5", "at most 1"),
            {
                "s.toml": f'{ONE}[[vary]]\npath = "positive.porosity"\n'
                "values = [0.3, 1.5, -1.0]\n"
            },
            answer="caution",
            statuses=(4,),
            whole=True,
            seconds=120.0,
        ),
        Case(
            "run",
            "colder than any electrolyte",
            ("run", SET, "--protocol", "Discharge at C/5", "--temperature", "-99",
             "--out", "o.csv"),
            *("temperature|-99", "-99", "-60 to 100"),
            answer="done",
            statuses=(2,),
            seconds=120.0,
        ),
    ]  # fmt: skip


def cases() -> list[Case]:
    """All of them."""
    return [*_cells(), *_halves(), *_records(), *_of_matlab(), *_many()]
