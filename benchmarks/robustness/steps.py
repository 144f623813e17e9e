"""Steps, as texts of the command line: what a user mistypes."""

from .good import SET
from .judge import Case

POINT, UNIT = "point|comma", "Use units|unit|Known|such as|Examples"

STEPS: tuple[tuple[str, str, str], ...] = (
    # text, pattern of what was given, of what is expected
    ("", "''", "Discharge at"),
    ("C/10", "C/10", "discharge, charge"),
    ("Dischage at 1C until 2.0 V", "Dischage", "discharge"),
    ("Discharge", "discharge", "set point"),
    ("Discharge 1C until 2 V", "1C", "'at'"),
    ("Discharge at 1C until 2 V then rest for 1 h", "then", "list"),
    ("Discharge at 1C until 2 V; Rest for 1 h", ";", "list"),
    ("Discharge at 1,5 A until 2 V", "1,5", POINT),
    ("Discharge at 1C until 2,0 V", "2,0", POINT),
    ("Discharge at -1C until 2 V", "-1C", "positive"),
    ("Charge at -1.5 A until 4 V", "-1.5 A", "positive"),
    ("Discharge at 0C for 1 h", "0C", "positive"),
    ("Discharge at 0 A for 1 h", "0 A", "positive"),
    ("Discharge at NaN A for 1 h", "NaN", "Examples"),
    ("Discharge at inf A for 1 h", "inf", "Examples"),
    ("Discharge at 1e400 A for 1 h", "1e400", "Examples|expected|finite"),
    ("Discharge at C/0 for 1 h", "C/0", "Examples|expected|positive"),
    ("Discharge at 1 kV for 1 h", "1 kV", "current"),
    ("Discharge at 1500 until 2 V", "1500", UNIT),
    ("Discharge at 1.5 until 2 V", "1.5", UNIT),
    ("Discharge at 1.5 Amps per hour", "Amps", UNIT),
    ("Discharge at 1 Ah until 2 V", "1 Ah", "current"),
    ("Discharge at 1C until 2500 V", "2500", "volts|2500 mV"),
    ("Discharge at 1C until -20 V", "-20", "expected|volts"),
    ("Charge at 1C until 41 kV", "41", "volts|expected"),
    ("Charge at 1C until 2000000 mV", "2000", "volts|expected"),
    ("Discharge at 1C until 20 %", "20 %", "charge that passes|Ah"),
    ("Discharge at 1C until 20% SOC", "20%", "Ah"),
    ("Discharge at 1C until 5 Wh", "5 Wh", "Ah"),
    ("Discharge at 1C until 3 V or", "or", "follows"),
    ("Discharge at 1C at 2C until 3 V", "2C", "second"),
    ("Discharge at 1C at 25 C until 3 V", "25 C", "degC"),
    ("Discharge at 1C at 25 degC at 30 degC for 1 h", "30 degC", "second"),
    ("Rest", "Rest", "for|ends|duration"),
    ("Rest for -1 h", "-1|-3600", "positive|expected"),
    ("Rest for 0 s", "0", "positive"),
    ("Rest for 1e9 h", "1e\\+?0?9|3.6e", "expected|30 years|seconds"),
    ("Rest for 1 hour at 1C", "1C", "set point"),
    ("Rest until 25 degC", "25 degC", "below|above"),
    ("Rest for 1 h at 25 K", "25 K", "kelvin"),
    ("Rest for 1 h at 298 degC", "298|571", "kelvin|no cell"),
    (
        "Rest for 1700000000 s",
        "1.7e\\+?09|1700000000",
        "points in time|30 years|expected",
    ),
    ("Hold at 4.1 A until C/20", "4.1 A", "voltage"),
    ("Hold at 4.1 V", "4.1 V", "end|until|for"),
    ("Hold at 4100 V until C/20", "4100", "volts"),
    ("Hold at 4.1 V until 4.2 V", "4.2 V", "cut-off|not"),
    ("Hold at -4.1 V until C/20", "-4.1", "expected|volts|positive"),
    ("Charge at 1 ohm until 4.1 V", "1 ohm", "current"),
    ("Charge at 1C until 0.05C", "0.05C", "cut-off|current|cannot"),
    ("Discharge at 1C for 1 h for 1 Ah", "1 Ah", "time"),
    ("Discharge at 1C for 10 V", "10 V", "time"),
    ("Discharge at 1C (1 s period)", "1 s period", "leave out"),
    ("Discharge at 1C until 4.1 V or 9 parsec", "parsec", UNIT),
    ("Entladen mit 1C bis 2 V", "Entladen", "discharge"),
    ("Discharge @ 1C until 2 V", "@", "'at'"),
    ("Discharge at 1C " + "until 3 V or " * 4000 + "2 V", "characters", "200"),
    ("discharge\0 at 1C until 2 V", "discharge", "."),
    ("Discharge at 1C until 2 V\nRest for 1 h", "Rest", "list"),
)


def _run(*steps: str) -> tuple[str, ...]:
    return ("run", SET, "--protocol", *steps, "--out", "o.csv")


def cases() -> list[Case]:
    """Every bad step by itself, and some within good ones."""
    found = [
        Case("run: steps", text[:60] or "empty", _run(text), text[:8], given, expected)
        for text, given, expected in STEPS
    ]
    found += [
        Case(
            "run: steps",
            "second of three is bad",
            _run("Rest for 1 h", "Discharge at 1 until 2 V", "Rest for 1 h"),
            "item 2",
            "'1'",
            UNIT,
        ),
        Case(
            "run: steps",
            "a discharge to above the cell's voltage",
            _run("Discharge at 1C until 9 V"),
            "step 1",
            r"3\.\d",
            "skipped: already",
            answer="done",
            statuses=(0,),
        ),
        Case(
            "run: steps",
            "1 MW is not 1 mW",
            _run("Discharge at 1 MW until 1.5 V"),
            "power",
            "",
            "lower",
            answer="done",
            statuses=(3,),
        ),
        *(
            Case(
                "run: steps",
                f"unusual, but clear: {text}",
                _run(text),
                "completed",
                answer="done",
                statuses=(0,),
            )
            for text in (
                "Discharge at 5 MOHM for 1 h",
                "Discharge at 1C or until 3 V",
                "Rest for one hour",
            )
        ),
        Case(
            "run: steps",
            "a charge of a charged cell",
            _run("Charge at 1C until 4.0 V", "Discharge at 1C for 10 s"),
            "step 1",
            r"4\.\d",
            "skipped: already",
            answer="done",
            statuses=(0,),
        ),
        Case(
            "run: steps",
            "more power than the cell has",
            _run("Discharge at 2000 W until 1.5 V"),
            "power",
            "",
            "resistance|no voltage|lower|less",
            answer="done",
            statuses=(3,),
        ),
        Case(
            "run: steps",
            "1000C",
            _run("Discharge at 1000C until 2 V"),
            "step 1",
            r"-\d+\.\d+ V",
            "skipped: already",
            answer="done",
            statuses=(0,),
        ),
        Case(
            "run: steps",
            "two voltages: the higher ends a discharge",
            _run("Discharge at 1C until 3.95 V or 2.0 V"),
            "completed",
            answer="done",
            statuses=(0,),
        ),
    ]
    return found
