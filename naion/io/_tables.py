"""CSV tables, read by column name with one clear error for the first bad row."""

import csv
import io
import re
from array import array
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._cautions import caution
from .._files import read_text, write_whole
from .._takes import takes
from ._conversions import at_midnight
from ._labels import POTENTIALS, could_be_temperature, is_bookkeeping, meaning
from ._sources import LONGEST

EXPECTED = (
    "Expected are time_s, current_A (positive on discharge), voltage_V where it was "
    "measured and, if known, temperature_degC (units: s, min, h; A, mA; V, mV; degC, K), "
    "or the labels of the Battery Data Format such as 'Test Time / s', 'Current / A' "
    "(positive on charge) and 'Voltage / V': rename the columns in the header to these."
)
SHOWN = 24
"""Columns that a message lists at most."""


def read_current(path: Path) -> dict[str, np.ndarray]:
    """Columns time_s, current_A (discharge positive) and optional temperature_degC.

    As `read_measurement`, without voltages.

    Raises:
        ValueError: naming file, row and remedy.
    """
    table = _read_measured(path, ("time_s", "current_A"))
    return {name: v for name, v in table.items() if name not in POTENTIALS.values()}


@takes
def read_measurement(path: Path | str) -> dict[str, np.ndarray]:
    """Columns time_s, current_A (discharge positive), voltage_V, optional temperature.

    Labels are naion's own or those of the Battery Data Format, whose currents are
    positive on charge and are turned round; units are converted. Of several temperatures
    that of the cell's surface is used before that of its surroundings, and both before
    others. UTF-8, UTF-16 with a mark, or Latin-1; between columns commas, semicolons or
    tabs, the latter two also with decimal commas.

    Columns that are not used are named in a `Caution`.

    Raises:
        ValueError: naming file, row and remedy.
    """
    return _read_measured(Path(path), ("time_s", "current_A", "voltage_V"))


@takes
def read_columns(path: Path | str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of exactly these names, all of them needed.

    Raises:
        ValueError: naming file, row and remedy.
    """
    text = _Text(Path(path), lambda header: sum(name in header for name in names))
    missing = [name for name in names if name not in text.header]
    if missing:
        raise ValueError(
            f"{path}: no column {', '.join(map(repr, missing))}; the header has "
            f"{_listed(text.header)}."
        )
    columns = [Column(n, text.header.index(n), n, 1.0, 0.0, True) for n in names]
    return text.numbers(columns)[0]


@takes
def write_csv(
    path: Path | str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table; a broken write leaves no file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue())


@takes
def delimiter_of(line: str) -> str:
    """What stands between the columns of a header: a comma, a semicolon or a tab."""
    return max(",;\t", key=line.count)


class Column(NamedTuple):
    """A column to read: naion's name, where it is, its label, and its unit."""

    name: str
    index: int
    label: str
    factor: float
    offset: float
    needed: bool


def _read_measured(
    path: Path, needed: tuple[str, ...], empty: frozenset[int] = frozenset()
) -> dict[str, np.ndarray]:
    """Read by meaning; columns in `empty` hold nothing and are passed over."""
    text = _Text(path, lambda header: sum(meaning(h) is not None for h in header))
    chosen, passed_over = _choose(path, text.header, needed, empty)
    table, blank = text.numbers(chosen)
    if blank:
        return _read_measured(path, needed, empty | blank)
    rows = text.rows
    late = np.flatnonzero(np.diff(table["time_s"]) < 0.0)
    if late.size:
        k, t = int(late[0]) + 1, table["time_s"]
        raise ValueError(
            f"{path}, row {rows[k]}: time {t[k]:g} s comes after {t[k - 1]:g} s. Sort "
            f"the rows, or let time_s run on between steps.{at_midnight(t)}"
        )
    if "temperature_degC" in table:
        T = table["temperature_degC"]
        wrong = np.flatnonzero((T <= -100.0) | (T >= 150.0))
        if wrong.size:
            k = int(wrong[0])
            raise ValueError(
                f"{path}, row {rows[k]}: {T[k]:g} degC is not a temperature of a cell; "
                + _other_scale(next(c for c in chosen if c.name == "temperature_degC"))
            )
    said = _unused(text.header, chosen, passed_over, empty)
    if text.decimal == ",":
        said = [*said, "commas within numbers are read as decimal points"]
    if said:
        caution(f"{path}: {'; '.join(said)}.")
    return table


def _other_scale(column: Column) -> str:
    """What a temperature that is none may be in."""
    if column.offset:
        return f"is {column.label!r} in degC? Then name it temperature_degC."
    return "is the column in kelvin? Then name it temperature_K."


def _choose(
    path: Path, header: list[str], needed: tuple[str, ...], empty: frozenset[int]
) -> tuple[list[Column], list[tuple[Column, Column]]]:
    """The columns to read, and pairs of a column not taken and the one taken for it."""
    found: dict[str, list[tuple[tuple[int, int], Column]]] = {}
    for i, label in enumerate(header):
        means = meaning(label)
        if means is None or i in empty:
            continue
        name, factor, offset, rank, _ = means
        column = Column(name, i, label, factor, offset, name in needed)
        found.setdefault(name, []).append((rank, column))
    for name in needed:
        if name not in found:
            signless = [h for h in header if re.match(r"current|i\b", h, re.IGNORECASE)]
            why = ""
            if name == "current_A" and signless:
                why = f" {signless[0]!r} does not say which sign a discharge has."
            raise ValueError(
                f"{path}: no column {name!r}; the header has {_listed(header)}.{why} "
                f"{EXPECTED}"
            )
    chosen, passed_over = [], []
    for name in (*needed, "temperature_degC", *POTENTIALS.values()):
        if name not in found:
            continue
        (rank, first), *others = sorted(found[name], key=lambda pair: pair[0])
        for other_rank, other in others:
            if other_rank == rank and other.label == first.label:
                raise ValueError(
                    f"{path}: the column {first.label!r} stands twice; which one counts? "
                    "Rename the other."
                )
            passed_over.append((other, first))
        chosen.append(first)
    return chosen, passed_over


def _unused(
    header: list[str],
    chosen: list[Column],
    passed_over: list[tuple[Column, Column]],
    empty: frozenset[int],
) -> list[str]:
    """What a reader leaves unused, in words: choices, measured quantities, the rest."""
    said = [f"{o.name} is {c.label!r} and not {o.label!r}" for o, c in passed_over]
    known = {c.index for c in chosen} | {o.index for o, _ in passed_over} | empty
    left = [h for i, h in enumerate(header) if i not in known]
    warm = [h for h in left if could_be_temperature(h)]
    if warm:
        said.append(
            f"{_listed(warm)}: not read as a temperature, since the name has no unit that "
            "is known (temperature_degC, temperature_K)"
        )
    blank = [header[i] for i in sorted(empty)]
    if blank:
        said.append(f"{_listed(blank)}: empty")
    rest = [h for h in left if h not in warm and not is_bookkeeping(h)]
    if rest:
        said.append(f"not used: {_listed(rest)}")
    calm = [h for h in left if h not in warm and h not in rest and h]
    if calm:
        said.append(f"passed over as bookkeeping: {_listed(calm)}")
    return said


class _Text:
    """A table as text: its header, and numbers of its columns on request.

    Args:
        path: to read.
        score: how many labels of a header are known; of ways to part the header the one
            with the highest score is taken.
    """

    def __init__(self, path: Path, score):
        self.path = path
        self.text = read_text(path, fallback="latin-1")
        self.decimal = "."
        self.rows = array("q")
        stream = io.StringIO(self.text, newline="")
        self.before, between = 0, ",;\t"
        for line in stream:
            self.before += 1
            given = re.fullmatch(r"sep=(.)\s*", line)
            if given:
                between = given[1]
            elif line.strip(" \r\n,;\t") and not line.startswith("#"):
                break
        else:
            raise ValueError(f"{path}: empty; expected a header and at least two rows.")
        self.line = line
        headers = {d: _cells(line, d) for d in between}
        best = max(headers, key=lambda d: (score(headers[d]), len(headers[d])))
        self.delimiter, self.header = best, headers[best]

    def numbers(
        self, columns: Sequence[Column]
    ) -> tuple[dict[str, np.ndarray], frozenset[int]]:
        """Numbers of columns by name, and which columns that are not needed are empty.

        Raises:
            ValueError: naming file and row, for what is not a finite number, for fewer
                than two rows, and for rows with more cells than the header.
        """
        try:
            try:
                values, blanks = self._parse(columns, float)
            except _DecimalComma:
                self.decimal = ","
                values, blanks = self._parse(columns, _with_comma)
        except csv.Error as error:
            raise ValueError(f"{self.path} is not CSV: {error}.") from None
        n = len(self.rows)
        if n < 2:
            found = "1 row of numbers" if n else "no row of numbers"
            raise ValueError(
                f"{self.path}: {found}; expected a header and at least two rows."
            )
        empty = frozenset(
            c.index for c, b in zip(columns, blanks, strict=True) if b == n
        )
        table = {}
        for column, raw in zip(columns, values, strict=True):
            numbers = np.frombuffer(raw)
            bad = np.flatnonzero(~np.isfinite(numbers))
            if bad.size and column.index not in empty:
                k = int(bad[0])
                hint = "" if column.needed else "; fill it in, or rename the column"
                raise ValueError(
                    f"{self.path}, row {self.rows[k]}: {_title(column)} is empty or not "
                    f"finite{hint}."
                )
            # Adding zero turns -0 into 0.
            table[column.name] = numbers * column.factor + (column.offset + 0.0)
        return table, empty

    def _parse(self, columns: Sequence[Column], convert):
        """Numbers of columns, and how often columns that are not needed are blank."""
        stream = io.StringIO(self.text, newline="")
        for _ in range(self.before):
            next(stream)
        reader = csv.reader(chain([self.line], stream), delimiter=self.delimiter)
        next(reader)
        width = len(self.header)
        values, blanks = [array("d") for _ in columns], [0] * len(columns)
        self.rows = array("q")
        pairs = list(zip([c.index for c in columns], values, strict=True))
        for cells in reader:
            if not any(cells) or cells[0].startswith("#"):
                continue
            if len(cells) > width and any(c.strip() for c in cells[width:]):
                raise ValueError(
                    f"{self.path}, row {self.before - 1 + reader.line_num}: "
                    f"{len(cells)} cells under {width} names. With decimal commas, put "
                    "semicolons between the columns; else name all of them."
                )
            try:
                for index, into in pairs:
                    into.append(convert(cells[index]))
            except (IndexError, ValueError):
                self._repair(cells, columns, values, blanks, convert, reader.line_num)
            self.rows.append(self.before - 1 + reader.line_num)
        return values, blanks

    def _repair(self, cells, columns, values, blanks, convert, number) -> None:
        """A row that is not all numbers: blanks where nothing is needed, or an error.

        Raises:
            ValueError: for text, and for nothing where a number is needed.
        """
        for k, (column, into) in enumerate(zip(columns, values, strict=True)):
            del into[len(self.rows) :]
            got = cells[column.index].strip() if column.index < len(cells) else ""
            if not got and not column.needed:
                into.append(np.nan)
                blanks[k] += 1
                continue
            try:
                into.append(convert(got))
            except ValueError:
                if "," in got and self.delimiter != "," and self.decimal == ".":
                    raise _DecimalComma from None
                raise ValueError(
                    f"{self.path}, row {self.before - 1 + number}: {_title(column)} is "
                    f"{got[:40]!r}, not a number{_hint(column, got, self.decimal)}."
                ) from None


class _DecimalComma(Exception):
    """A number with a comma, where no comma parts columns."""


def _with_comma(text: str) -> float:
    if "." in text:
        raise ValueError(text)
    return float(text.replace(",", "."))


def _cells(line: str, delimiter: str) -> list[str]:
    if len(line) > LONGEST:
        return [line.strip()]
    return [
        h.strip() for h in next(csv.reader([line.strip("\r\n")], delimiter=delimiter))
    ]


def _title(column: Column) -> str:
    same = column.label == column.name
    return column.name if same else f"{column.name} ({column.label!r})"


def _hint(column: Column, got: str, decimal: str) -> str:
    if not got:
        return ": the cell is empty"
    if column.name == "time_s" and re.search(r"\d[:/-]\d", got):
        return "; times are counted in the unit of the column, not dates or clock times"
    if decimal == "," and "." in got:
        return "; other rows have decimal commas"
    if re.fullmatch(r"[-+\d.,]+", got):
        return "; write numbers with a decimal point and nothing between thousands"
    return ""


def _listed(labels: Sequence[str]) -> str:
    shown = [repr(h if len(h) <= 60 else h[:57] + "...") for h in labels[:SHOWN]]
    more = len(labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
