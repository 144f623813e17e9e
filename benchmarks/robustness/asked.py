"""`naion life`, `duty`, `cost` and `data`: what is asked of cells and of files."""

from collections.abc import Iterable

from naion.io import write_cell
from naion.parameters import half_cell, load

from .good import FIT, SET, cell_json, profile, record, written
from .judge import Case

Files = dict[str, str | bytes]
Row = tuple[str, tuple[str, ...], str, str, str]
"""Name, arguments behind the command's first, place, given and expected."""

EIS = "frequency_Hz,real_ohm,imaginary_ohm\n" + "".join(
    f"{f:g},{0.04 + 0.01 * k:g},-0.02\n" for k, f in enumerate((1e3, 1e2, 1e1, 1.0))
)
"""A spectrum."""

LIST = """
[mine]
like = "china_2026_06"
[mine.price.carbon_black]
value = 5.0
unit = "USD/kg"
quality = "M"
source = "a test"
date = "2026-06"
"""


def _rows(door: str, first: tuple[str, ...], rows: Iterable[Row], files: Files) -> list:
    return [
        Case(door, name, (*first, *argv), place, given, expected, files)
        for name, argv, place, given, expected in rows
    ]


def _life() -> list[Case]:
    N = ("--cycles", "1000")
    rows: tuple[Row, ...] = (
        ("kelvin", (*N, "--temperature", "298"), "temperature", "298", "Celsius"),
        ("percent", (*N, "--window", "10,90"), "window", "10", "0 to 1"),
        ("reversed", (*N, "--window", "0.9,0.1"), "window", "0.9", "lower"),
        ("three ends", (*N, "--window", "0.1,0.5,0.9"), "--window", "0.5", "two"),
        ("decimal commas", (*N, "--window", "0,1;0,9"), "--window", "0,1", "such as"),
        ("no rate", (*N, "--rate", "0"), "rate", "0", "above 0"),
        ("days for years", (*N, "--years", "3650"), "--years", "3650", "at most"),
        ("no years", (*N, "--years", "nan"), "--years", "nan", "above 0"),
        ("an end in percent", (*N, "--end", "80"), "--end", "80", "0.8"),
        ("no end", (*N, "--end", "0"), "--end", "0", "between 0 and 1"),
        ("cycles below zero", ("--cycles", "-5"), "--cycles", "-5", "above zero"),
        ("2738 a day", ("--cycles", "1e6", "--years", "1"), "--cycles", "2738", "200"),
    )
    found = _rows("life", ("life", SET), rows, {})
    half = written(lambda path: write_cell(path, half_cell(load(SET))))
    nmc = written(lambda path: write_cell(path, load(SET), name="nmc811_chen2020"))
    argv = ("life", "c.json", *N)
    found += [
        Case("life", "a half cell", argv, "c.json", "half", "full cell", {"c.json": half}),
        Case(
            *("life", "lithium in a file", argv, "nmc811", "NMC", "--chemistry"),
            {"c.json": nmc},
        ),
        Case("life", "a profile", ("life", "p.csv", *N), "p.csv", "", "JSON",
             {"p.csv": profile()}),
    ]  # fmt: skip
    return found


def _duty() -> list[Case]:
    C = ("--cells", SET)
    rows: tuple[Row, ...] = (
        ("a misspelt duty", ("cra", *C), "duty", "cra", "Did you mean 'car'"),
        ("kelvin", ("car", *C, "--temperatures", "298"), "--temp", "298", "kelvin"),
        (
            "semicolons",
            ("car", *C, "--temperatures", "25;0"),
            "--temp",
            "25;0",
            "commas",
        ),
        ("no temperature", ("car", *C, "--temperatures", ""), "--temp", "''", "commas"),
        ("NaN", ("car", *C, "--temperatures", "nan"), "--temp", "nan", "degC"),
        (
            "no days",
            ("car", *C, "--year", "berlin", "--days", "0"),
            "--days",
            "0",
            "365",
        ),
        ("days of no year", ("car", *C, "--days", "3"), "--days", "3", "--year"),
        (
            "a year of no cell",
            ("car", "--year", "berlin"),
            "--year",
            "berlin",
            "--cells",
        ),
        ("out of no cell", ("car", "--out", "o.csv"), "--out", "o.csv", "--cells"),
        ("a cell twice", ("car", *C, SET), "--cells", SET, "once"),
        (
            "days and a year",
            ("car", *C, "--year", "berlin", "--temperatures", "25"),
            *("--temperatures", "25", "one of them"),
        ),
        (
            "no such cell",
            ("car", "--cells", "c.toml"),
            "c.toml",
            "",
            "no such file|set",
        ),
    )
    return _rows("duty", ("duty",), rows, {})


def _cost() -> list[Case]:
    rows: tuple[Row, ...] = (
        ("a misspelt design", ("nfm",), "design", "'nfm'", "nfm_prismatic"),
        ("no such list", ("--prices", "moon"), "list", "moon", "china_2026_06"),
        ("CNY by the tonne", ("--lithium", "95000"), "lithium", "95000", "USD/kg"),
        ("below zero", ("--lithium", "-5"), "lithium", "-5", "0 to"),
        ("kelvin", ("--delivered-at", "253"), "--delivered-at", "253", "degC"),
        ("no temperature", ("--delivered-at", "nan"), "--delivered-at", "nan", "degC"),
        ("120 % lower", ("--lower", "120"), "--lower", "120", "100"),
        ("one draw", ("--draws", "1"), "--draws", "1", "2 to"),
        ("no such file", ("--price-file", "p.toml"), "p.toml", "", "no such file"),
    )
    found = _rows("cost", ("cost",), rows, {})
    changes = (
        # name, old, new, place, given, expected
        ("by the tonne", "5.0", "5000.0", "carbon_black", "5000", "at most"),
        ("another currency", "USD/kg", "CNY/kg", "carbon_black.unit", "CNY", "USD/kg"),
        ("below zero", "5.0", "-5.0", "carbon_black.value", "-5", "at least 0"),
        ("a text", "5.0", '"5"', "carbon_black.value", "5", "number"),
        ("a misspelt item", "carbon_black", "carbon_blck", "mine", "blck", "known are"),
        ("assumed", '"M"', '"A"', "carbon_black", "assumed", "range"),
        ("like itself", "china_2026_06", "mine", "like", "mine", "china_2026_06"),
    )
    argv = ("cost", "--prices", "mine", "--price-file", "p.toml")
    found += [
        Case("cost", name, argv, rf"p\.toml[\s\S]*{place}", given, expected,
             {"p.toml": LIST.replace(old, new, 1)})
        for name, old, new, place, given, expected in changes
    ]  # fmt: skip
    return found


def _data() -> list[Case]:
    head = EIS.partition("\n")[0] + "\n"
    rows: tuple[tuple[str, str | bytes, tuple[str, ...], str, str], ...] = (
        # name, content, options, given, expected
        ("empty", "", (), "empty", "header"),
        ("one row", head + "1,1,-1\n", (), "1 rows", "two"),
        ("decimal commas", EIS.replace("0.", "0,"), (), "cells under 3", "semicolons"),
        ("half of UTF-16", EIS.encode("utf-16-le"), (), "UTF-16", "UTF-8"),
        ("NaN", EIS.replace("-0.02", "nan", 1), (), "row 2.*imaginary", "finite"),
        ("a gap", EIS.replace(",-0.02", ",", 1), (), "row 2.*imaginary", "empty"),
        ("no frequency", EIS.replace("1000,", "-1,", 1), (), "row 2", "below zero"),
        ("a modulus alone", EIS.replace("real", "modulus").replace(",imaginary_ohm", "")
         .replace(",-0.02", ""), (), "modulus_ohm", "imaginary"),
        ("decibel", EIS.replace("real_ohm,imaginary_ohm", "Magnitude (dB),phase_deg"), (),
         "dB", "ohm"),
        ("a column twice", EIS.replace("imaginary_ohm", "real_ohm,imaginary_ohm").replace(
            ",-0.02", ",0.1,-0.02"), (), "real_ohm", "Rename"),
        ("one column for two", EIS, ("--column", "frequency=real_ohm"), "real_ohm", "own"),
        ("kelvin", EIS.replace("ohm\n", "ohm,temperature_degC\n").replace("2\n", "2,298\n"),
         (), "row 2.*298", 'temperature = "K"'),
        ("a voltage's unit", EIS, ("--unit", "impedance=V"), "'V'", "ohm, mohm"),
        ("a misspelt label", EIS, ("--column", "real=Real_ohms"), "Real_ohms", "real_ohm"),
    )  # fmt: skip
    found = [
        Case("data", name, ("data", "e.csv", *argv), r"e\.csv", given, expected,
             {"e.csv": text})
        for name, text, argv, given, expected in rows
    ]  # fmt: skip
    options: tuple[Row, ...] = (
        (
            "a pair twice",
            ("--column", "real=a", "real=b"),
            "--column",
            "real=b",
            "once",
        ),
        ("no pair", ("--column", "real"), "--column", "real", "pair"),
        ("C-rates of a spectrum", ("--capacity", "1.5"), "--capacity", "1.5", "--cell"),
        ("no capacity", ("--capacity", "nan"), "--capacity", "nan", "zero"),
        ("no figure", ("--plot", "a.xyz"), "--plot", "xyz", "png"),
        ("a sheet of a text", ("--sheet", "1"), "sheet", "1", "spreadsheet"),
        ("signs", ("--imaginary", "minus"), "--imaginary", "minus", "-Im"),
    )
    found += _rows("data", ("data", "e.csv"), options, {"e.csv": EIS})
    long: Files = {"d.csv": "a," * 100_000 + "\n1,2\n"}
    argv = ("data", "d.csv")
    found.append(
        Case("data", "a line of 200,000", argv, r"d\.csv", "a,a", "time_s", long)
    )
    return found


SPECTRUM = (
    FIT.replace('file = "d.csv"\nkind = "discharge"\ntemperature = 25\nsigma = 0.01\n',
                'file = "e.csv"\nkind = "impedance"\nsoc = 0.5\n')
    .replace("mesh =", "double_layer = 0.2\nmesh =")
)  # fmt: skip
"""A fit to a spectrum."""


def _fits() -> list[Case]:
    changes = (
        # name, old, new, place, given, expected
        ("percent of charge", "0.5", "50", "soc", "50", "0 to 1"),
        ("no start", "soc = 0.5\n", "", "data 1", "state of charge", "soc or discharged"),
        ("mA.h", "soc = 0.5", "discharged = 800", "discharged", "800", "holds"),
        ("percent of |Z|", "soc", "relative_sigma = 2.0\nsoc", "relative", "2", "percent"),
        ("milliohm", "soc", "floor = 10\nsoc", "floor", "10 ohm", "milliohm"),
        ("reversed", "soc", "frequencies = [10, 1]\nsoc", "data 1", "10 to 1", "lowest"),
        ("no such spectrum", "soc", "spectrum = 2\nsoc", "spectrum", "2", "naion data"),
        ("a third electrode", "mesh", 'half_cell = "anode"\nmesh', "half_cell", "anode",
         "negative"),
        ("a separator in um", "mesh", 'half_cell = {electrode = "negative", separator = '
         "260.0}\nmesh", "separator.thickness", "260", "0.1 m"),
        ("limits in mV", "mesh", 'half_cell = {electrode = "negative", limits = [0, 2000]}'
         "\nmesh", "upper_voltage", "2000", "V"),
        ("limits without charge", "mesh", 'half_cell = {electrode = "negative", limits = '
         "[3.0, 4.0]}\nmesh", "limits", "3 to 4", "potential"),
    )  # fmt: skip
    argv = ("fit", "fit.toml", "--out", "out")
    found = [
        Case("fit: spectra", name, argv, rf"fit\.toml[\s\S]*{place}", given, expected,
             {"e.csv": EIS, "fit.toml": SPECTRUM.replace(old, new, 1)})
        for name, old, new, place, given, expected in changes
    ]  # fmt: skip
    files: Files = {"d.csv": record(), "fit.toml": FIT, "c.json": cell_json()}
    options: tuple[Row, ...] = (
        ("a cell for a fit", ("--cell", "c.json"), "--cell", "c.json", "TOML"),
        ("a unit for a fit", ("--unit", "current=mA"), "--unit", "mA", "TOML"),
        ("1e9 starts", ("--starts", "1000000000"), "--starts", "1000000000", "10,000"),
        ("one test left out", ("--left-out",), "[Ll]eav", "d.csv", "two"),
    )
    found += _rows("fit: options", argv, options, files)
    whole = FIT.replace("sigma = 0.01", "sigma = 10")
    found.append(
        Case("fit: options", "millivolts of uncertainty", argv, "sigma", "10 V",
             "millivolt", {**files, "fit.toml": whole})
    )  # fmt: skip
    return found


def cases() -> list[Case]:
    """All of them."""
    return [*_life(), *_duty(), *_cost(), *_data(), *_fits()]
