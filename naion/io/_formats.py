"""What makers of cyclers call their columns, in which units, and with which sign.

Written from layouts of exports, not from any one file: where a maker's software names a
column otherwise, a mapping of columns reads it.
"""

import functools as ft
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from ._labels import meaning

QUANTITIES = (
    *("time", "current", "voltage", "temperature", "cycle", "step", "state"),
    *("negative_potential", "positive_potential"),
)
NEEDED = ("time", "current", "voltage")


class Format(NamedTuple):
    """An export of a maker.

    Attributes:
        name: to ask for it.
        about: whose export it is, for help.
        columns: for each quantity the names that it has, without units, the best first.
        own: names that this maker has and others do not: one of them is needed.
        units: of columns whose labels name none.
        step_time: names of times that begin anew in every step, used where there is no
            other time.
    """

    name: str
    about: str
    columns: dict[str, tuple[str, ...]]
    own: tuple[str, ...]
    units: dict[str, str] = {}
    step_time: tuple[str, ...] = ()


USUAL = {
    **{"time": "s", "current": "A", "voltage": "V", "temperature": "degC"},
    **{"negative_potential": "V", "positive_potential": "V"},
}
"""Units of columns whose labels name none."""

FORMATS = (
    Format(
        "arbin",
        "Arbin MITS Pro and MITS X: CSV, spreadsheets",
        {
            "time": ("test time",),
            "current": ("current",),
            "voltage": ("voltage",),
            "temperature": ("aux temperature 1", "temperature"),
            "cycle": ("cycle index", "cycle id"),
            "step": ("step index", "step id"),
        },
        own=("data point", "dv dt", "internal resistance", "tc counter1", "acr"),
    ),
    Format(
        "maccor",
        "Maccor: text and CSV exports; the state (C, D, R) gives the sign",
        {
            "time": ("test", "test time", "testtime"),
            "current": ("amps", "current"),
            "voltage": ("volts", "voltage"),
            "temperature": ("temp 1", "temp1", "aux temp 1", "evtemp", "temperature"),
            "cycle": ("cyc#", "cycle p", "cycle c", "cycle", "cycle#"),
            "step": ("step", "step#"),
            "state": ("state", "md", "mode"),
        },
        own=("rec#", "rec", "dpt time", "dpt", "es"),
    ),
    Format(
        "neware",
        "Neware BTS: CSV and spreadsheets of records; batterydf for .nda, .ndax",
        {
            "time": ("total time", "test time", "totaltime", "date", "datetime",
                     "timestamp", "realtime", "absolute time", "总时间", "测试时间"),
            "current": ("current", "cur", "电流"),
            "voltage": ("voltage", "vol", "电压"),
            "temperature": ("t1", "temperature", "aux t1", "温度"),
            "cycle": ("cycle index", "cycle id", "cycle", "循环号"),
            "step": ("step index", "step id", "step", "工步号"),
            "state": ("step type", "state", "status", "step state", "step name",
                      "工步类型", "工步名称"),
        },
        own=("datapoint", "record", "record id", "record index", "step type", "spec cap",
             "capacity density", "cmp", "status", "总时间", "工步类型"),
        step_time=("time", "relative time", "step time", "时间"),
    ),
    Format(
        "biologic",
        "BioLogic EC-Lab and BT-Lab: .mpt, with decimal points or commas",
        {
            "time": ("time",),
            "current": ("i", "<i>", "control i"),
            "voltage": ("ecell", "<ecell>", "ewe", "<ewe>", "ewe-ece", "u"),
            "temperature": ("temperature", "temp", "t"),
            "cycle": ("cycle number", "z cycle"),
            "step": ("ns",),
        },
        own=("ox red", "counter inc", "control changes", "ns changes", "ns", "half cycle",
             "ewe", "<ewe>", "mode"),
        units={"current": "mA"},
    ),
    Format(
        "novonix",
        "Novonix UHPC: CSV with [Summary] and [Data]",
        {
            "time": ("run time", "test time"),
            "current": ("current",),
            "voltage": ("potential", "voltage"),
            "temperature": ("temperature", "circuit temperature"),
            "cycle": ("cycle number",),
            "step": ("step number", "step position"),
        },
        own=("run time", "circuit temperature", "potential"),
        units={"time": "h"},
    ),
    Format(
        "basytec",
        "Basytec: text whose header begins with ~",
        {
            "time": ("time",),
            "current": ("i",),
            "voltage": ("u", "u1"),
            "temperature": ("t1", "t-cell", "temperature"),
            "cycle": ("cyc-count", "cycle"),
            "step": ("line",),
        },
        own=("dataset", "t-step", "t-set", "cyc-count", "command"),
        units={"time": "h"},
    ),
    Format(
        "digatron",
        "Digatron: CSV",
        {
            "time": ("program duration", "prog time", "program time", "timestamp"),
            "current": ("current",),
            "voltage": ("voltage",),
            "temperature": ("t1", "logtemp001", "tenv", "temperature"),
            "cycle": ("cycle",),
            "step": ("step",),
            "state": ("status",),
        },
        own=("program duration", "prog time", "procedure", "ahaccu", "ahcha", "cycle level"),
        step_time=("step duration", "step time"),
    ),
    Format(
        "landt",
        "Landt: CSV and text",
        {
            "time": ("test time", "test"),
            "current": ("current", "amps"),
            "voltage": ("voltage", "volts"),
            "temperature": ("temperature",),
            "cycle": ("cycle index", "cycle"),
            "step": ("step index", "step"),
        },
        own=("channel index", "date time iso string", "dpt-time"),
    ),
)  # fmt: skip
NAMES = ("naion", "bdf", *(f.name for f in FORMATS))


class Found(NamedTuple):
    """A column of a file.

    Attributes:
        index: where it is.
        label: as the file has it.
        unit: of its numbers.
    """

    index: int
    label: str
    unit: str


@ft.lru_cache(maxsize=4096)
def parts(label: str) -> tuple[str, str]:
    """The plain name in a label and the unit in it, empty if there is none.

    'Test_Time(s)' is ('test time', 's'); 'I/mA' is ('i', 'mA'); 'Voltage#V' is
    ('voltage', 'V'); 'voltage_V' is ('voltage v', '').
    """
    text = unicodedata.normalize("NFKC", label.replace("º", "°")).strip()
    text = re.sub(r"\s*/\s*1$", "", text)  # "Cycle Count / 1"
    unit = ""
    for pattern in (
        r"(.+?)\s*[\[(]\s*([^()\[\]]+?)\s*[\])]",
        r"(.+?)\s*[/#]\s*([^/#\d]+)",
    ):
        found = re.fullmatch(pattern, text)
        if found and found[2].lower() not in ("red", "discharge"):
            text, unit = found[1], re.sub(r"\s+", "", found[2])
            break
    plain = re.sub(r"[\s_./,;:]+", " ", text).lower().strip()
    return plain, "clock" if CLOCK.fullmatch(unit.lower()) else unit


CLOCK = re.compile(r"(d+|days?)?[d.:,-]?h+:m+(in)?:s+([.,:](m?s+|f+|z+|0+|x+))?")
"""Units of clock times: 'hh:mm:ss', 'h:min:s.ms', 'd:hh:mm:ss.fff'."""


def recognised(header: Sequence[str]) -> Format | None:
    """The maker whose export has such a header; none if it is nobody's."""
    plain = {parts(label)[0] for label in header}
    best, most = None, 0
    for f in FORMATS:
        found = set(columns_of(f, header))
        if f.step_time and plain & set(f.step_time):
            found.add("time")
        own = len(plain & set(f.own))
        if own and set(NEEDED) <= found and own + len(found) > most:
            best, most = f, own + len(found)
    return best


def columns_of(f: Format, header: Sequence[str]) -> dict[str, Found]:
    """The columns of a maker's export by quantity."""
    return {
        q: found
        for q, names in f.columns.items()
        if (found := first_of(names, header, f.units.get(q, USUAL.get(q, ""))))
    }


def first_of(names: Sequence[str], header: Sequence[str], unit: str) -> Found | None:
    """The first of some plain names that a header has."""
    known = [parts(label) for label in header]
    for name in names:
        for i, (plain, own) in enumerate(known):
            if own and not unit and name in COUNTED:
                continue  # 'Step (Sec)' is a time
            # Landt and others write 'current_a', 'test_time_s'.
            tail = re.fullmatch(re.escape(name) + r" (s|h|a|v|ma|mv|c)", plain)
            if plain == name or tail:
                own = _spelt.get(tail[1], tail[1]) if tail and not own else own
                return Found(i, header[i], unit_of(own) or unit)
    return None


COUNTED = ("step", "cycle", "test")
_spelt = {"a": "A", "v": "V", "ma": "mA", "mv": "mV", "c": "degC"}
_times = {
    **dict.fromkeys(("sec", "secs", "sek"), "s"),
    **dict.fromkeys(("mins", "minuten"), "min"),
    **dict.fromkeys(("hr", "hrs", "std", "stunden"), "h"),
}


def unit_of(text: str) -> str:
    """A unit as naion writes it; a letter in place of a degree sign counts as one."""
    if re.fullmatch(r"(°|deg|\ufffd|ø|º|o)?\s*[cC]", text):
        return "degC"
    low = text.lower()
    return "min" if low == "min" else _times.get(low, text)


def score(header: Sequence[str]) -> float:
    """How much of a row of labels is known, to find the header of a file."""
    own = {m.name for label in header if (m := meaning(label))}
    if {"time_s", "current_A"} <= own:
        return 10.0 + len(own)
    f = recognised(header)
    if f is None:
        return 0.0
    plain = {parts(label)[0] for label in header}
    return 5.0 + len(columns_of(f, header)) / 10.0 + len(plain & set(f.own)) / 100.0
