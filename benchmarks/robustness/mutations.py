"""Seeded mutations of good files: of bytes, of tokens, and of numbers."""

import re
from collections.abc import Callable, Iterator

import numpy as np

from . import good
from .judge import Case, Verdict, command

SEED = 20261125
EACH = 150
"""Mutations of every file."""

NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
PUT = (
    *(
        "nan",
        "inf",
        "-1",
        "0",
        "1e300",
        "-1e300",
        "1e-300",
        "abc",
        '""',
        "null",
        "true",
    ),
    *("[]", "{}", "[1, 2]", '"0.3"', "1,5", "1e400", "9" * 400, "0x10", "1_000", "'"),
)
"""What stands in the place of a number."""


STRANGE = "\0\ufeff°\r\t\u2212;|{}[]\"'#=,:"


def mutated(text: str, rng: np.random.Generator) -> str:
    """One to three changes of a text."""
    for _ in range(int(rng.integers(1, 4))):
        text = KINDS[int(rng.integers(len(KINDS)))](text, rng)
    return text


def _at(text: str, rng: np.random.Generator) -> int:
    return int(rng.integers(max(len(text), 1)))


def _delete(text: str, rng: np.random.Generator) -> str:
    i = _at(text, rng)
    return text[:i] + text[i + int(rng.integers(1, 4)) :]


def _double(text: str, rng: np.random.Generator) -> str:
    i = _at(text, rng)
    return text[:i] + text[i : i + int(rng.integers(1, 9))] + text[i:]


def _transpose(text: str, rng: np.random.Generator) -> str:
    i = _at(text, rng)
    return text[:i] + text[i + 1 : i + 2] + text[i : i + 1] + text[i + 2 :]


def _strange(text: str, rng: np.random.Generator) -> str:
    i = _at(text, rng)
    return text[:i] + STRANGE[int(rng.integers(len(STRANGE)))] + text[i:]


def _cut(text: str, rng: np.random.Generator) -> str:
    return text[: _at(text, rng)]


def _line(text: str, rng: np.random.Generator) -> str:
    """A line away, twice, or in the place of another."""
    lines = text.splitlines(keepends=True)
    i, j = (int(rng.integers(max(len(lines), 1))) for _ in range(2))
    kind = int(rng.integers(3))
    if kind == 0:
        del lines[i : i + 1]
    elif kind == 1:
        lines[i:i] = lines[i : i + 1]
    elif lines:
        lines[i], lines[j] = lines[j], lines[i]
    return "".join(lines)


def _number(text: str, rng: np.random.Generator) -> str:
    """Something else in the place of a number."""
    found = list(NUMBER.finditer(text))
    if not found:
        return text
    m = found[int(rng.integers(len(found)))]
    return text[: m.start()] + PUT[int(rng.integers(len(PUT)))] + text[m.end() :]


def _scaled(text: str, rng: np.random.Generator) -> str:
    """A number times something, as with a wrong unit or sign."""
    found = list(NUMBER.finditer(text))
    if not found:
        return text
    m = found[int(rng.integers(len(found)))]
    factor = (-1.0, 0.0, 1e-6, 1e-3, 0.01, 2.0, 100.0, 1e3, 1e6)[int(rng.integers(9))]
    return text[: m.start()] + f"{float(m[0]) * factor:g}" + text[m.end() :]


def _word(text: str, rng: np.random.Generator) -> str:
    """A word in the place of another."""
    found = list(re.finditer(r"[A-Za-z_]{3,}", text))
    if not found:
        return text
    a, b = (found[int(rng.integers(len(found)))] for _ in range(2))
    return text[: a.start()] + b[0] + text[a.end() :]


KINDS: tuple[Callable[[str, np.random.Generator], str], ...] = (
    *(_delete, _double, _transpose, _strange, _cut),
    *(_line, _number, _number, _scaled, _scaled, _word),
)


def specimens() -> dict[str, tuple[str, str, tuple[str, ...], dict[str, str]]]:
    """Good files: by door, their name, text, the command that reads them, and the rest."""
    step = ("--protocol", "Discharge at 1C for 20 s", "--out", "o.csv")
    data = {"d.csv": good.record()}
    fit = good.FIT + good.PULSE + good.CORRECTION
    return {
        "profile": (
            "p.csv",
            good.profile(),
            ("run", good.SET, "--profile", "p.csv", "--out", "o.csv"),
            {},
        ),
        "fit's TOML": ("fit.toml", fit, ("fit", "fit.toml", "--out", "out"), data),
        "fit's data": (
            "d.csv",
            good.record(),
            ("fit", "fit.toml", "--out", "out"),
            {"fit.toml": good.FIT},
        ),
        "sweep": ("s.toml", good.SWEEP, ("sweep", "s.toml", "--out", "out"), {}),
        "cell.json": ("c.json", good.cell_json(), ("run", "c.json", *step), {}),
        "claims": (
            "c.toml",
            good.CLAIMS,
            ("claims", "--claims", "c.toml", "--out", "out"),
            {},
        ),
        "designs": ("f.toml", good.DESIGN, ("designs", "mine", "--file", "f.toml"), {}),
        "BPX": ("b.json", good.bpx_json(), (), {}),
    }


def cases(each: int = EACH, seed: int = SEED) -> Iterator[Case]:
    """Mutations; files of the same seed are the same."""
    from .bpx import read

    for k, (door, (name, text, argv, rest)) in enumerate(specimens().items()):
        rng = np.random.default_rng([seed, k])
        for i in range(each):
            files: dict[str, str | bytes] = {**rest, name: mutated(text, rng)}
            act = argv or read
            yield Case(f"mutations: {door}", f"{i}", act, re.escape(name), files=files)


def verdict(case: Case) -> Verdict:
    """The verdict on a mutation of which nobody knows whether it is right.

    Accepted or refused, but not with a traceback or a hang; a refusal names the file.
    """
    if callable(case.act):
        return _of_call(case)
    status, out, err = command(case.act, case.seconds)
    if status == "hang":
        return Verdict("hang", f"no answer in {case.seconds:g} s", err)
    if isinstance(status, str) or status not in (0, 1, 2, 3, 4):
        return Verdict("traceback", f"exit status {status}", f"{err}{status}")
    if status == 2 and not re.search(case.place, err):
        return Verdict("unclear", "the file is not named", err)
    return Verdict("clear", "", err)


def _of_call(case: Case) -> Verdict:
    from .judge import of_call

    found = of_call(case, case.act)  # pyright: ignore[reportArgumentType]
    if found.verdict == "silent":
        return Verdict("clear", "", found.said)
    return found
