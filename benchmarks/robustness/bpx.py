"""BPX files, through the library: the command line does not read them."""

from typing import Any

from naion.io import read_bpx

from .good import DELETED, bpx_json, cell_json, changed
from .judge import Case

E = "Parameterisation"
N = f"{E}/Negative electrode"

BPX: tuple[tuple[str, str, Any, str, str], ...] = (
    # name, path, value, given, expected
    ("porosity of 1.5", f"{N}/Porosity", 1.5, "1.5", "1"),
    (
        "negative radius",
        f"{N}/Particle radius [m]",
        -1e-6,
        "-1e-06",
        "more than 0|above 0|positive",
    ),
    ("radius in um", f"{N}/Particle radius [m]", 5, "5", "m"),
    (
        "a text for a number",
        f"{N}/Thickness [m]",
        "thick",
        "thick",
        "number|valid|cannot|known",
    ),
    (
        "null",
        f"{N}/Thickness [m]",
        None,
        "None|null|Thickness",
        "number|valid|required",
    ),
    ("true", f"{N}/Thickness [m]", True, "true", "number"),
    ("a list", f"{N}/Thickness [m]", [1e-4], "Thickness|list", "number|valid"),
    ("missing", f"{N}/Thickness [m]", DELETED, "Thickness", "required|missing"),
    (
        "an unknown entry",
        f"{N}/Thicknes [m]",
        1e-4,
        "Thicknes",
        "permitted|unknown|known",
    ),
    ("NaN", f"{N}/Thickness [m]", float("nan"), "nan", "finite"),
    ("an integer of 400 digits", f"{N}/Thickness [m]", 10**400, "large", "finite"),
    (
        "a table that is empty",
        f"{N}/OCP [V]",
        {"x": [], "y": []},
        r"\(0,\)|empty|points",
        "two",
    ),
    (
        "a table of one point",
        f"{N}/OCP [V]",
        {"x": [0.5], "y": [1]},
        "1 point",
        "two",
    ),
    (
        "unequal columns",
        f"{N}/OCP [V]",
        {"x": [0, 1], "y": [1]},
        r"\(1,\)|length|points",
        "as many|same|equal",
    ),
    (
        "a text in a table",
        f"{N}/OCP [V]",
        {"x": [0, 1], "y": ["a", 1]},
        "a",
        "number|valid|cannot|known",
    ),
    (
        "code",
        f"{N}/OCP [V]",
        "__import__('os').system('true')",
        "import",
        "cannot|known|expected|only",
    ),
    (
        "an unknown function",
        f"{N}/OCP [V]",
        "sinus(x)",
        "sinus",
        "cannot|known|expected|only",
    ),
    ("an expression of y", f"{N}/OCP [V]", "3 + y", "y", "x"),
    ("division by zero", f"{N}/OCP [V]", "1/0", "1/0", "cannot|finite"),
    ("half an expression", f"{N}/OCP [V]", "3 +", r"3 \+", "cannot|expression|valid"),
    ("degC", f"{E}/Cell/Reference temperature [K]", 25, "25", "K"),
    ("degC around", "State/Thermal environment/Ambient temperature [K]", 25, "25", "K"),
    (
        "percent of charge",
        "State/Initial conditions/Initial state-of-charge",
        80,
        "80",
        "0 to 1|1",
    ),
    ("cut-offs swapped", f"{E}/Cell/Lower voltage cut-off [V]", 5.0, "5", "upper"),
    ("no header", "Header", DELETED, "Header", "no|expected"),
    ("no parameters", E, DELETED, E, "no|expected"),
    ("header is a list", "Header", [], "list", "object"),
    ("electrode is a text", N, "graphite", "str", "object"),
    (
        "user's own entries",
        f"{E}/User-defined",
        {"My OCP [V]": 1.0},
        "My OCP",
        "Say them|remove",
    ),
    ("version 9", "Header/BPX", "9.0", "9.0", "0 and 1"),
    ("version of words", "Header/BPX", "new", "new", "0 and 1"),
    ("another model", "Header/Model", "ECM", "ECM", "DFN|SPM"),
)


def cases() -> list[Case]:
    """Entries and whole files that are no BPX."""
    found = []
    for name, path, value, given, expected in BPX:
        last = path.split("/")[-1].split(" [")[0]
        text = changed(bpx_json(), path, value)
        # Numbers are named as the cell has them, entries as the file has them.
        last = {
            "Particle radius": "radius",
            "Lower voltage cut-off": "lower_voltage",
        }.get(last, last)
        place = rf"b\.json[\s\S]*{last}"
        found.append(
            Case("read_bpx", name, read, place, given, expected, {"b.json": text})
        )
    whole: tuple[tuple[str, str | bytes, str, str], ...] = (
        ("empty", "", "b.json", "JSON"),
        ("half", bpx_json()[:900], "line|char", "JSON"),
        ("a list", "[]", "list", "object"),
        ("a name twice", '{"Header": {}, "Header": {}}', "Header", "twice"),
        ("nested 100,000 deep", '{"a":' * 100_000, "deep", "BPX"),
        ("Latin-1", '{"Header": "°"}'.encode("latin-1"), "byte", "UTF-8"),
        ("a cell.json", cell_json(), "b.json", "Header"),
    )
    found += [
        Case("read_bpx", name, read, "b.json", given, expected, {"b.json": text})
        for name, text, given, expected in whole
    ]

    def missing() -> Any:
        return read_bpx("nowhere.json")

    found.append(
        Case("read_bpx", "no such file", missing, "nowhere.json", "", "No BPX")
    )
    return found


def read() -> Any:
    return read_bpx("b.json")
