"""Files of cells: cell.json and BPX."""

import json
from collections.abc import Callable
from typing import Any

from naion.io import read_bpx

from .good import DELETED, SET, bpx_json, cell_json, changed
from .judge import Case

RUN = ("run", "cell.json", "--protocol", "Discharge at 1C for 20 s", "--out", "o.csv")

NUMBERS: tuple[tuple[str, Any, str], ...] = (
    # path below "cell", value, pattern of what is expected
    ("negative/porosity", 1.5, "less than 1|between 0"),
    ("negative/porosity", -0.5, "more than 0|above 0|between 0"),
    ("negative/porosity", 30, "less than 1"),
    ("positive/active_fraction", 0.99, "at most 1"),
    ("positive/thickness", 70, "m"),
    ("positive/thickness", -1e-6, "more than 0"),
    ("separator/thickness", 0, "more than 0"),
    ("separator/transport_efficiency", 3, "at most 1"),
    ("negative/particle/radius", 5, "less than 0.1|m"),
    ("negative/particle/c_max", -1, "more than 0"),
    ("negative/particle/diffusivity/scale", -1, "more than 0"),
    ("negative/particle/rate_constant/scale", 0, "more than 0"),
    ("electrolyte/t_plus/curve/value", 1.4, "1"),
    ("electrolyte/concentration", 0, "more than 0"),
    ("temperature", 25, "K"),
    ("temperature", 2981.5, "K"),
    ("area", -1, "m2"),
    ("area", 0, "m2"),
    ("nominal_capacity", -1.5, "A.h"),
    ("limits/lower_voltage", 5, "upper_voltage"),
    ("limits/upper_voltage", 4100, "V"),
    ("contact_resistance/scale", -2, "ohm|0"),
    ("thermal/mass", 0, "kg"),
    ("published/negative", 1.2, "less than 1"),
)

PARTS: tuple[tuple[str, Any, str], ...] = (
    ("negative/porosity", "0.3", "a number"),
    ("negative/porosity", None, "a number"),
    ("negative/porosity", [0.3, 0.3], "a number"),
    ("negative/porosity", True, "a number"),
    ("negative/porosity", DELETED, "missing"),
    ("negative", None, "Electrode"),
    ("negative", 3, "Electrode"),
    ("positive/particle", DELETED, "missing"),
    ("positive/particle/ocp/curve/x", [], "numbers|two"),
    ("positive/particle/ocp/curve/x", [0.5], "numbers|as many|two"),
    ("positive/particle/ocp/curve/y", ["a", "b"], "numbers"),
    ("positive/particle/ocp/curve/extrapolation", "banana", "clamp"),
    ("positive/particle/ocp/curve/interpolation", "cubic", "pchip"),
    ("positive/particle/ocp/curve/type", "Tabel", "Table"),
    ("positive/particle/ocp", {"type": "Expression", "text": "1"}, "Property"),
    ("negative/porosity", 10**400, "number"),
    ("negative/porosit", 0.3, "unknown"),
    ("area", {"value": 1}, "type"),
)


def _cells() -> list[Case]:
    found = []
    for path, value, expected in (*NUMBERS, *PARTS):
        last = path.split("/")[-1]
        given = "missing" if value is DELETED else _shown(value)
        text = changed(cell_json(), f"cell/{path}", value)
        name = f"{path} = {'(deleted)' if value is DELETED else repr(value)[:20]}"
        files: dict[str, str | bytes] = {"cell.json": text}
        place = rf"cell\.json[\s\S]*({last}|{path.replace('/', '.')})"
        found.append(Case("cell.json", name, RUN, place, given, expected, files))
    whole: tuple[tuple[str, str | bytes, str, str], ...] = (
        ("empty", "", "cell.json", "JSON"),
        ("half", cell_json()[: len(cell_json()) // 2], "line|char", "JSON"),
        ("a list", "[]", "cell.json", "naion cell"),
        ("null", "null", "cell.json", "naion cell"),
        ("another format", '{"format": "naion-cell-9"}', "cell.json", "naion-cell-1"),
        ("no cell", '{"format": "naion-cell-1"}', "None", "Cell"),
        (
            "cell is a list",
            '{"format": "naion-cell-1", "cell": []}',
            r"\[\]|\(\)",
            "Cell",
        ),
        ("cell is a text", '{"format": "naion-cell-1", "cell": "x"}', "x", "Cell"),
        ("nested 100,000 deep", "[" * 100_000, "deep", "cell"),
        (
            "NaN",
            cell_json().replace('"area":', '"area": NaN, "area_":', 1),
            "nan|area_",
            "finite|unknown",
        ),
        ("UTF-16 without mark", cell_json().encode("utf-16-le"), "cell.json", "UTF-8"),
        ("a BPX file", bpx_json(), "cell.json", "naion cell"),
        ("an image", b"\x89PNG\r\n\x1a\n" + bytes(100), "cell.json", "UTF-8"),
    )
    found += [
        Case("cell.json", name, RUN, "cell.json", given, expected, {"cell.json": text})
        for name, text, given, expected in whole
    ]
    x = json.loads(cell_json())["cell"]
    tables = (
        ("shuffled", lambda v: [v[1], v[0], *v[2:]], "rise"),
        ("all equal", lambda v: [0.5] * len(v), "rise|two"),
        ("one NaN", lambda v: [*v[:3], float("nan"), *v[4:]], "finite"),
    )
    path = "positive/particle/ocp/curve/x"
    for name, change, expected in tables:
        value = change(_at(x, path))
        text = changed(cell_json(), f"cell/{path}", value)
        place = r"cell\.json.*positive.*ocp"
        found.append(
            Case(
                "cell.json",
                f"table: {name}",
                RUN,
                place,
                "",
                expected,
                {"cell.json": text},
            )
        )
    marked = b"\xef\xbb\xbf" + cell_json().encode()
    found.append(
        Case(
            "cell.json",
            "a mark of UTF-8",
            RUN,
            "completed",
            files={"cell.json": marked},
            answer="done",
            statuses=(0,),
        )
    )
    return found


def _at(node: Any, path: str) -> Any:
    for part in path.split("/"):
        node = node[part]
    return node


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value > 10**300:
        return "100000|large"
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}".replace("+", r"\+")
    return {"None": "null|None", "True": "true|True"}.get(str(value), "")


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
    ("a text for a number", f"{N}/Thickness [m]", "thick", "thick", "."),
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
        r"\(1,\)|one|points",
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
        "a shuffled table",
        f"{N}/OCP [V]",
        {"x": [0, 0.6, 0.3, 1], "y": [3, 2, 1, 0]},
        "0.3",
        "Sort|rise",
    ),
    ("a text in a table", f"{N}/OCP [V]", {"x": [0, 1], "y": ["a", 1]}, "a", "."),
    ("code", f"{N}/OCP [V]", "__import__('os').system('true')", "import", "."),
    ("an unknown function", f"{N}/OCP [V]", "sinus(x)", "sinus", "."),
    ("an expression of y", f"{N}/OCP [V]", "3 + y", "y", "x"),
    ("division by zero", f"{N}/OCP [V]", "1/0", "1/0", "."),
    ("half an expression", f"{N}/OCP [V]", "3 +", r"3 \+", "."),
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
    ("version 9", "Header/BPX", "9.0", "9", "."),
    ("version of words", "Header/BPX", "new", "new", "."),
    ("another model", "Header/Model", "ECM", "ECM", "DFN|SPM"),
)


def _bpx() -> list[Case]:
    """Through the library: the command line does not read BPX."""
    found = []
    for name, path, value, given, expected in BPX:
        last = path.split("/")[-1].split(" [")[0]
        text = changed(bpx_json(), path, value)
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
    missing: Callable[[], Any] = lambda: read_bpx("nowhere.json")  # noqa: E731
    found.append(
        Case("read_bpx", "no such file", missing, "nowhere.json", "", "No BPX")
    )
    found.append(
        Case(
            "run: options",
            "a BPX file as cell",
            RUN,
            "cell.json",
            "",
            "read_bpx|BPX",
            {"cell.json": bpx_json()},
        )
    )
    return found


def read() -> Any:
    return read_bpx("b.json")


def cases() -> list[Case]:
    """cell.json through the command line, BPX through the library."""
    assert SET
    return [*_cells(), *_bpx()]
