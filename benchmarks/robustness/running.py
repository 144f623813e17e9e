"""`naion run` and `naion predict`: options, and use beyond measurements."""

from .good import SET, bpx_json, cell_json, changed, profile
from .judge import Case

STEP = ("--protocol", "Discharge at 1C for 20 s")


def _options() -> list[Case]:
    rows = (
        # name, arguments after the set, place, given, expected
        ("kelvin", (*STEP, "--temperature", "298"), "--temperature", "298", "degC"),
        (
            "a text",
            (*STEP, "--temperature", "25C"),
            "--temperature",
            "25C",
            "float|number|degC",
        ),
        (
            "colder than 0 K",
            (*STEP, "--temperature", "-300"),
            "--temperature",
            "-300",
            "degC",
        ),
        (
            "NaN degrees",
            (*STEP, "--temperature", "nan"),
            "--temperature",
            "nan",
            "degC",
        ),
        ("percent", (*STEP, "--start", "soc=80"), "--start", "80", "0 to 1"),
        ("a percent sign", (*STEP, "--start", "soc=80%"), "--start", "80%", "0 to 1"),
        ("a bare number", (*STEP, "--start", "0.8"), "--start", "0.8", "soc="),
        (
            "negative charge",
            (*STEP, "--start", "soc=-0.1"),
            "--start",
            "-0.1",
            "0 to 1",
        ),
        ("NaN charge", (*STEP, "--start", "soc=nan"), "--start", "nan", "0 to 1"),
        ("no such start", (*STEP, "--start", "full"), "--start", "full", "charged"),
        ("9 V", (*STEP, "--start", "ocv=9"), "--start", "9", r"allow \d"),
        ("0.1 V", (*STEP, "--start", "ocv=0.1"), "--start", "0.1", r"allow \d"),
        ("millivolts", (*STEP, "--start", "ocv=3800"), "--start", "3800", r"allow \d"),
        ("a unit", (*STEP, "--start", "ocv=3.8V"), "--start", "3.8V", "volts"),
        ("colon for =", (*STEP, "--start", "soc:0.8"), "--start", "soc:0.8", "soc="),
        ("no thermal model", (*STEP, "--thermal", "hot"), "--thermal", "hot", "lumped"),
        ("cycles 0", (*STEP, "--cycles", "0"), "--cycles", "0", "1 to"),
        ("cycles -3", (*STEP, "--cycles", "-3"), "--cycles", "-3", "1 to"),
        (
            "1e9 cycles",
            (*STEP, "--cycles", "1000000000"),
            "--cycles",
            "1000000000",
            "1 to",
        ),
        ("half a cycle", (*STEP, "--cycles", "1.5"), "--cycles", "1.5", "int|whole"),
        ("rtol 10", (*STEP, "--rtol", "10"), "--rtol", "10", "5e-4|1e-10"),
        ("rtol 0", (*STEP, "--rtol", "0"), "--rtol", "0", "expected"),
        ("rtol -1", (*STEP, "--rtol", "-1"), "--rtol", "-1", "expected"),
        ("rtol nan", (*STEP, "--rtol", "nan"), "--rtol", "nan", "expected"),
        ("rtol 1e-16", (*STEP, "--rtol", "1e-16"), "--rtol", "1e-16", "expected"),
        ("rtol text", (*STEP, "--rtol", "fine"), "--rtol", "fine", "float|number"),
        ("no steps", (*STEP, "--max-steps", "0"), "max.steps", "0", "above 0|whole"),
        ("fewer", (*STEP, "--max-steps", "-5"), "max.steps", "-5", "above 0|whole"),
        (
            "half a step",
            (*STEP, "--max-steps", "1.5"),
            "--max-steps",
            "1.5",
            "int|whole",
        ),
        (
            "unknown option",
            (*STEP, "--temprature", "25"),
            "--temprature",
            "",
            "--temperature",
        ),
        ("neither protocol nor profile", (), "--protocol", "", "required"),
        (
            "profile and protocol",
            (*STEP, "--profile", "p.csv"),
            "--profile",
            "",
            "not allowed",
        ),
        (
            "cycles of a profile",
            ("--profile", "p.csv", "--cycles", "2"),
            "--cycles",
            "",
            "once",
        ),
        ("no such profile", ("--profile", "q.csv"), "q.csv", "q.csv", "no such file"),
        ("a folder as profile", ("--profile", "."), r"\.", r"\.", "not a file"),
    )
    found = [
        Case(
            "run: options",
            name,
            ("run", SET, *argv, "--out", "o.csv"),
            place,
            given,
            expected,
            {"p.csv": profile()},
        )
        for name, argv, place, given, expected in rows
    ]
    outs = (
        ("out is a folder", "out", "out", "folder", "name of a file"),
        (
            "out is in a file",
            "p.csv/o.csv",
            r"p\.csv",
            r"p\.csv",
            "exists|not a (directory|folder)",
        ),
        ("out is empty", "", r"\. is a folder", "", "name of a file|folder"),
        ("out is a device", "/dev/null", "/dev/null", "", "ordinary file"),
        ("a name that is too long", "x" * 300, "x" * 300, "", "too long"),
    )
    found += [
        Case(
            "run: options",
            name,
            ("run", SET, *STEP, "--out", out),
            place,
            given,
            expected,
            {"p.csv": profile(), "out/x": ""},
        )
        for name, out, place, given, expected in outs
    ]
    cells = (
        ("a misspelt set", "nfm_18650", "nfm_18650", "nfm_18650", SET),
        ("no such file", "celll.json", "celll.json", "celll.json", "set"),
        ("a profile as cell", "p.csv", "p.csv", "", "JSON"),
        ("a folder as cell", "out", "out", "", "file|set"),
        ("a BPX file as cell", "b.json", "b.json", "BPX", "read_bpx"),
        ("an empty name", "", "''", "", "set"),
    )
    found += [
        Case(
            "run: options",
            name,
            ("run", cell, *STEP, "--out", "o.csv"),
            place,
            given,
            expected,
            {"p.csv": profile(), "out/x": "", "b.json": bpx_json()},
        )
        for name, cell, place, given, expected in cells
    ]
    found.append(Case("naion", "no command", (), "COMMAND", "", "required|run"))
    found.append(
        Case("naion", "a misspelt command", ("rum", SET), "COMMAND", "rum", "run")
    )
    found.append(
        Case("sets", "a misspelt set", ("sets", "nvpf"), "set", "nvpf", "nvpf_hc_cha")
    )
    return found


def _predict() -> list[Case]:
    fitted = {"free": [{"paths": ["cell.area"], "bounds": [0.1, 2.0]}]}
    rows = (
        ("a cell without a fit", cell_json(), "cell.json", "fit", "naion fit"),
        ("fit: a number", changed(cell_json(), "fit", 3), "cell.json", "fit", "again"),
        ("fit: null", changed(cell_json(), "fit", None), "cell.json", "fit", "again"),
        ("fit: empty", changed(cell_json(), "fit", {}), "cell.json", "fit", "again"),
        (
            "fit: no covariance",
            changed(cell_json(), "fit", fitted),
            "cell.json",
            "fit",
            "again",
        ),
    )
    return [
        Case(
            "predict",
            name,
            ("predict", "cell.json", *STEP, "--out", "o.csv"),
            place,
            given,
            expected,
            {"cell.json": text},
        )
        for name, text, place, given, expected in rows
    ]


def _cold() -> list[Case]:
    step = ("--protocol", "Discharge at C/5 for 20 s")
    return [
        Case(
            "run: options",
            f"{name} at {T} degC, for which it was not measured",
            ("run", name, *step, "--temperature", T, "--out", "o.csv"),
            "rate constant|diffusivit|conductivity",
            T,
            r"25|those of|measurements at",
            answer="caution",
            statuses=(0,),
        )
        for name, T in (
            ("nvpf_hc_chayambuka2022", "-20"),
            ("nmc811_chen2020", "-30"),
            (SET, "-60"),
            ("nvpf_hc_chayambuka2022", "80"),
        )
    ]


def cases() -> list[Case]:
    """Options, predictions, and use beyond measurements."""
    return [*_options(), *_predict(), *_cold()]
