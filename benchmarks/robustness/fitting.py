"""`naion fit`: its TOML and its data. The fits themselves are left out, but of a few."""

from . import tables
from .good import FIT, HEAD, profile, record
from .judge import Case

DATA: tuple[tuple[str, str, str, str], ...] = (
    # name, content, given, expected
    ("millivolts", record().replace("3.9000", "3900"), "3900", "voltage_mV"),
    (
        "a pack's voltage",
        record().replace(",3.", ",43.").replace(",2.", ",32."),
        "43",
        "number",
    ),
    ("a charge", record(current=-1.5), "-1.5", "sign|charge"),
    ("no current", record(current=0), "no current", "fit"),
    ("a current that changes", record().replace("80,1.5", "80,0.5"), "0.5", "profile"),
    ("three rows", record(rows=3), "3 rows", "more than"),
    ("one time", HEAD + "5,1.5,3.9\n" * 9, "same time", "time"),
    ("no voltages", profile(), "voltage_V", "rename"),
    ("NaN", record().replace("3.9000", "nan"), "row 2", "finite"),
    ("a text", record().replace("3.9000", "full"), "row 2.*full", "number"),
    (
        "swapped columns",
        record(HEAD.replace("current_A,voltage_V", "voltage_V,current_A")),
        "3.9|current",
        "constant|profile",
    ),
    ("backwards", HEAD + "9,1.5,3.9\n8,1.5,3.8\n7,1.5,3.7\n", "row 3.*8 s", "Sort"),
    (
        "kelvin",
        record("time_s,current_A,voltage_V,temperature_degC\n")
        .replace("\n", ",298\n")
        .replace("degC,298", "degC"),
        "298",
        "temperature_K",
    ),
)


def _data() -> list[Case]:
    found = []
    for name, text, given, expected in DATA:
        files: dict[str, str | bytes] = {"fit.toml": FIT, "d.csv": text}
        argv = ("fit", "fit.toml", "--out", "out")
        found.append(Case("fit: data", name, argv, "d.csv", given, expected, files))
    other = FIT.replace('"discharge"', '"profile"').replace(
        "temperature = 25", "soc = 1.0"
    )
    rows = (
        (
            "percent",
            FIT.replace('"discharge"', '"profile"').replace("sigma = 0.01", "soc = 80"),
            "soc",
            "80",
            "0 to 1",
        ),
        (
            "A.h below zero",
            other.replace("soc = 1.0", "discharged = -50"),
            "discharged",
            "-50",
            "holds",
        ),
        (
            "both starts",
            other.replace("soc = 1.0", "soc = 1.0\ndischarged = 0.1"),
            "data 1",
            "soc",
            "not both",
        ),
        (
            "no segments",
            FIT.replace('"discharge"', '"segments"'),
            "d.csv",
            "segment",
            "header",
        ),
        (
            "rest of 0 s",
            FIT.replace('"discharge"', '"segments"').replace(
                "sigma = 0.01", "rest = 0"
            ),
            "rest",
            "0",
            "above zero",
        ),
    )
    for name, text, place, given, expected in rows:
        files = {"fit.toml": text, "d.csv": record()}
        argv = ("fit", "fit.toml", "--out", "out")
        found.append(Case("fit: data", name, argv, place, given, expected, files))
    two = HEAD + "0,1000000000,3.9\n10,1000000000,3.8\n20,1000000000,3.7\n"
    found.append(
        Case(
            "fit: data",
            "a profile of 1 GA",
            ("fit", "fit.toml", "--out", "out"),
            r"d\.csv",
            "1e\\+09|1000000000",
            "expected",
            {"fit.toml": other, "d.csv": two},
        )
    )
    hours = record().splitlines()
    late = [
        hours[0],
        *(f"{float(r.split(',')[0]) / 3600:g},{r.split(',', 1)[1]}" for r in hours[1:]),
    ]
    found.append(
        Case(
            "fit: whole",
            "time in hours under time_s",
            ("fit", "fit.toml", "--out", "out"),
            r"d\.csv",
            r"\d mV|\d A\.h|\d s",
            "unit|hours|seconds",
            {"fit.toml": FIT, "d.csv": "\n".join(late) + "\n"},
            seconds=240.0,
            whole=True,
        )
    )
    argv = ("fit", "fit.toml", "--out", "fit.toml")
    files = {"fit.toml": FIT, "d.csv": record()}
    found.append(
        Case(
            "fit: data", "out is a file", argv, "fit.toml", "is a file", "folder", files
        )
    )
    argv = ("fit", "fit.toml", "--out", "out")
    deep: dict[str, str | bytes] = {"fit.toml": "a = " + "[" * 100_000}
    found.append(
        Case("fit: TOML", "100,000 deep", argv, "fit.toml", "deep", "TOML", deep)
    )
    argv = ("fit", "nofit.toml", "--out", "out")
    found.append(
        Case(
            "fit: data",
            "no such file",
            argv,
            "nofit.toml",
            "nofit.toml",
            "no such file",
            files,
        )
    )
    argv = ("fit", ".", "--out", "out")
    found.append(Case("fit: data", "a folder", argv, r"\.", r"\.", "not a file", files))
    argv = ("fit", "fit.toml")
    found.append(
        Case("fit: data", "no out", argv, "--out", "--out", "needs|required", files)
    )
    cautioned = (
        record("time_s,current_A,voltage_V,temperature_degC\n")
        .replace("\n", ",-10\n")
        .replace("degC,-10", "degC")
    )
    found.append(
        Case(
            "fit: data",
            "two temperatures",
            ("fit", "fit.toml", "--out", "out"),
            r"d\.csv",
            "25 degC",
            "-10",
            {"fit.toml": FIT, "d.csv": cautioned},
            answer="caution",
            statuses=(0,),
        )
    )
    return found


def cases() -> list[Case]:
    """The TOML file, and the data."""
    argv = ("fit", "fit.toml", "--out", "out")
    changed = tables.cases(
        "fit.txt", "fit: TOML", argv, "fit.toml", FIT, d_csv=record()
    )
    return [*changed, *_data()]
