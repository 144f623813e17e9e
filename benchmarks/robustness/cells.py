"""Files of cells, read by the command line."""

import json
from typing import Any

from .good import DELETED, bpx_json, cell_json, changed
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

PLACES = {
    "positive/active_fraction": "active fractions",
    "electrolyte/t_plus/curve/value": "electrolyte.t_plus",
}
"""What a message calls a field, where that is not its last word."""

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


def cases() -> list[Case]:
    """Numbers, parts, tables and whole files that are no cell."""
    found = []
    for path, value, expected in (*NUMBERS, *PARTS):
        last = path.split("/")[-1]
        given = "missing" if value is DELETED else _shown(value)
        given = "porosit" if last == "porosit" else given
        text = changed(cell_json(), f"cell/{path}", value)
        name = f"{path} = {'(deleted)' if value is DELETED else repr(value)[:20]}"
        files: dict[str, str | bytes] = {"cell.json": text}
        place = rf"cell\.json[\s\S]*{PLACES.get(path, last)}"
        found.append(Case("cell.json", name, RUN, place, given, expected, files))
    whole: tuple[tuple[str, str | bytes, str, str], ...] = (
        ("empty", "", "cell.json", "JSON"),
        ("half", cell_json()[: len(cell_json()) // 2], "line|char", "JSON"),
        ("a list", "[]", "cell.json", "naion cell"),
        ("null", "null", "cell.json", "naion cell"),
        ("another format", '{"format": "naion-cell-9"}', "cell.json", "naion-cell-2"),
        ("no cell", '{"format": "naion-cell-2"}', "None", "Cell"),
        (
            "cell is a list",
            '{"format": "naion-cell-2", "cell": []}',
            r"\[\]|\(\)",
            "Cell",
        ),
        ("cell is a text", '{"format": "naion-cell-2", "cell": "x"}', "x", "Cell"),
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
        ("shuffled", lambda v: [v[1], v[0], *v[2:]], "rise|more than 0"),
        ("all equal", lambda v: [0.5] * len(v), "rise|two|more than 0"),
        ("one NaN", lambda v: [*v[:3], float("nan"), *v[4:]], "finite"),
    )
    path = "positive/particle/ocp/curve/x"
    for name, change, expected in tables:
        value = change(_at(x, path))
        text = changed(cell_json(), f"cell/{path}", value)
        place = r"cell\.json[\s\S]*positive.*ocp"
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
