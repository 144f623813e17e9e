"""Measured profiles: what a table can be that is none."""

from .good import SET
from .judge import Case

T, I = "time_s", "current_A"


def _rows(*rows: str, head: str = f"{T},{I}") -> str:
    return "\n".join((head, *rows)) + "\n"


def cases() -> list[Case]:
    """Bad profiles, those that need a caution, and odd ones that are right."""
    good = ("0,1", "10,1", "20,0")
    bad: tuple[tuple[str, str | bytes, str, str], ...] = (
        # name, content, given, expected
        ("empty", "", "empty", "header"),
        ("a header alone", _rows(), "no row", "two rows"),
        ("one row", _rows("0,1"), "1 row", "two rows"),
        ("a text", _rows("0,1", "10,abc"), "row 3.*abc", "number"),
        ("NaN", _rows("0,1", "10,nan"), "row 3", "finite"),
        ("infinite", _rows("0,1", "10,inf"), "row 3", "finite"),
        ("a gap", _rows("0,1", "10,", "20,1"), "row 3.*current_A", "number|empty"),
        ("back in time", _rows("5,1", "0,1"), "row 3.*0 s", "Sort"),
        ("all at one time", _rows("5,1", "5,2"), "one|time", "stretch|time"),
        ("other names", _rows(*good, head="t,I"), "'t', 'I'", "time_s"),
        (
            "swapped columns' names",
            _rows(*good, head="time,current"),
            "'time'",
            "time_s",
        ),
        (
            "signless current",
            _rows(*good, head="Time(s),Current(A)"),
            "Current",
            "sign",
        ),
        ("no header", _rows(*good, head="0,1"), "'0', '1'", "time_s"),
        (
            "dates",
            _rows("2024-01-01 00:00:00,1", "2024-01-01 00:01:00,1"),
            "row 2.*2024",
            "not dates",
        ),
        (
            "clock times",
            _rows("00:00:00,1", "00:01:00,1"),
            "row 2.*00:00",
            "not dates|clock",
        ),
        (
            "decimal commas between commas",
            _rows("0,0,1,5", "10,0,1,5"),
            "row 2.*4 cells",
            "semicolons",
        ),
        (
            "commas and points",
            _rows("0;1,5", "10;1.5", head=f"{T};{I}"),
            "row 3.*1.5",
            "decimal",
        ),
        (
            "a column twice",
            _rows("0,1,1", "10,1,1", head=f"{T},{I},{I}"),
            "current_A",
            "twice|Rename",
        ),
        ("thousands", _rows("0,1", '"1,000",1'), "row 3.*1,000", "decimal point"),
        ("units in cells", _rows("0 s,1 A", "10 s,1 A"), "row 2.*0 s", "number"),
        (
            "1000 A from a small cell",
            _rows("0,1000000000", "10,1000000000"),
            "row 1.*1e\\+09|1000000000",
            "expected|A",
        ),
        (
            "a megaampere and more",
            _rows("0,-2e6", "10,1"),
            "row 1.*-2e\\+06|-2000000",
            "expected",
        ),
        (
            "kelvin in degC",
            _rows("0,1,298", "9,1,298", head=f"{T},{I},temperature_degC"),
            "row 2.*298",
            "temperature_K",
        ),
        (
            "degC in kelvin",
            _rows("0,1,25", "9,1,25", head=f"{T},{I},temperature_K"),
            "row 2.*(25|-248)",
            "degC|kelvin",
        ),
        (
            "no temperature in a row",
            _rows("0,1,25", "9,1,", "19,1,25", head=f"{T},{I},temperature_degC"),
            "row 3.*temperature",
            "fill|rename",
        ),
        (
            "milliseconds since 1970",
            _rows("1700000000000,1", "1800000000000,1"),
            "1e\\+11|30 years",
            "seconds",
        ),
        ("a binary", bytes(range(256)) * 4, "p.csv", "text|UTF-8|header"),
        ("half of UTF-16", _rows(*good).encode("utf-16-le"), "p.csv", "UTF-8"),
        ("Excel", b"PK\x03\x04" + bytes(200), "p.csv", "text"),
        ("JSON", '{"time_s": [0, 1], "current_A": [1, 1]}', "p.csv|time_s", "time_s"),
        (
            "spaces between columns",
            _rows("0 1", "10 1", head=f"{T} {I}"),
            "time_s current_A",
            "time_s",
        ),
        ("an empty line of header", "\n\n\n", "empty", "header"),
    )
    found = [
        Case(
            "run: profile",
            name,
            ("run", SET, "--profile", "p.csv", "--out", "o.csv"),
            "p.csv",
            given,
            expected,
            {"p.csv": text},
        )
        for name, text, given, expected in bad
    ]
    cautioned = (
        (
            "temperature without unit",
            _rows("0,1,25", "9,1,25", head=f"{T},{I},temp"),
            "'temp'",
            "temperature_degC",
        ),
        (
            "unused voltage",
            _rows("0,1,3", "9,1,3", head=f"{T},{I},U2"),
            "'U2'",
            "not used",
        ),
        (
            "decimal commas",
            _rows("0;0,5", "9;0,5", head=f"{T};{I}"),
            "commas",
            "decimal",
        ),
        (
            "an empty temperature",
            _rows("0,1,", "9,1,", head=f"{T},{I},temperature_degC"),
            "temperature_degC",
            "empty",
        ),
        (
            "two temperatures",
            _rows(
                "0,1,25,20",
                "9,1,25,20",
                head=f"{T},{I},temperature_t1_celsius,ambient_temperature_celsius",
            ),
            "ambient",
            "and not",
        ),
    )
    found += [
        Case(
            "run: profile",
            name,
            ("run", SET, "--profile", "p.csv", "--out", "o.csv"),
            "p.csv",
            given,
            expected,
            {"p.csv": text},
            answer="caution",
            statuses=(0,),
        )
        for name, text, given, expected in cautioned
    ]
    good_ones: tuple[tuple[str, str | bytes], ...] = (
        ("a mark of UTF-8", b"\xef\xbb\xbf" + _rows(*good).encode()),
        ("UTF-16 with its mark", _rows(*good).encode("utf-16")),
        ("Latin-1", (_rows("# 25 °C", *good)).encode("latin-1")),
        ("carriage returns", _rows(*good).replace("\n", "\r\n").encode()),
        ("tabs", _rows(*good).replace(",", "\t")),
        (
            "hours and milliamperes",
            _rows("0,1000", "0.01,1000", head="time_h,current_mA"),
        ),
    )
    found += [
        Case(
            "run: profile",
            name,
            ("run", SET, "--profile", "p.csv", "--out", "o.csv"),
            "completed",
            files={"p.csv": text},
            answer="done",
            statuses=(0,),
        )
        for name, text in good_ones
    ]
    return found
