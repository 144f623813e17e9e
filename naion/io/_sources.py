"""Files of cyclers as sheets: named columns of text or numbers, with rows to point at."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .._cautions import caution
from .._files import read_text
from ._binaries import is_text, refuse_binary, remedy
from ._layers import flattened, is_layered
from ._matlab import vectors_of

DataFrame: TypeAlias = Any
Series: TypeAlias = Any
"""Of pandas, whose stubs give unions of all that an operation could return."""

SCANNED = 400
"""Lines in which a header is looked for."""

LONGEST = 100_000
"""Characters of a header; what is longer is none, and more than `csv` takes in a cell."""

ENOUGH = 5.0
"""Score of a header in which all that is needed is known."""

DELIMITERS = ",;\t"
PARQUET = (".parquet", ".pq")
SPREADSHEETS = (".xlsx", ".xlsm", ".xls")
MATLAB = (".mat",)
BY_BATTERYDF = (".nda", ".ndax")
"""Binary files that the batterydf package opens."""

NOT_TEXT = (*PARQUET, *SPREADSHEETS, *MATLAB, *BY_BATTERYDF)


@dataclass(frozen=True)
class Sheet:
    """A table as a file has it.

    Attributes:
        path: of the file.
        header: labels of its columns.
        frame: its cells by position of the column: text, or numbers and dates as the
            file stores them.
        first: row of the file in which the first row of `frame` is, counted from 1.
        delimiter: between columns, of text.
        before: text above the header.
    """

    path: Path
    header: tuple[str, ...]
    frame: DataFrame
    first: int
    delimiter: str = ""
    before: str = ""

    def row(self, k: int) -> int:
        """Row in the file of a row of the frame, counted from 1."""
        return self.first + int(self.frame.index[k])


Score = Callable[[Sequence[str]], float]
"""How much of a row of labels is known; the row with the most is the header."""


def sheet_of(path: Path, score: Score, sheet: str | int | None = None) -> Sheet:
    """The table in a file: text, Parquet, a spreadsheet, MATLAB's, or what batterydf opens.

    Args:
        path: of the file.
        score: see `Score`; text above the header is passed over.
        sheet: of a spreadsheet, by name or number from 1; none: the one whose header is
            known best.

    Raises:
        ValueError: where there is no such file, no table in it, or rows with more cells
            than the header.
        ImportError: naming the extra that reads such files.
    """
    import pandas as pd

    suffix = path.suffix.lower()
    if not path.is_file():
        there = "is not a file" if path.exists() else "no such file"
        raise ValueError(f"{path}: {there}.")
    if suffix in SPREADSHEETS and not is_text(path):
        return _spreadsheet(path, score, sheet)
    if sheet is not None:
        raise ValueError(
            f"{path}: sheet = {sheet!r} is of a spreadsheet ({', '.join(SPREADSHEETS)}), "
            "and this file is none."
        )
    if suffix in PARQUET:
        return _stored(path, _by_extra(path, "Parquet", lambda: pd.read_parquet(path)))
    if suffix in MATLAB:
        return _stored(path, vectors_of(path))
    if suffix in BY_BATTERYDF:
        return _neware(path)
    refuse_binary(path)
    return _text(path, score)


def header_of(
    path: Path, score: Score, sheet: str | int | None = None
) -> tuple[str, ...]:
    """The labels in a file, also where what is below them cannot be read.

    Arguments and errors as of `sheet_of`, but for what is wrong with rows of text.
    """
    if path.is_file() and path.suffix.lower() not in NOT_TEXT:
        refuse_binary(path)
        return tuple(_header(path, score)[2])
    return sheet_of(path, score, sheet).header


def check_once(path: Path, header: Sequence[str], used: Mapping[str, int]) -> None:
    """Each quantity has a column of its own, whose label no other column has.

    Args:
        path: of the file.
        header: its labels.
        used: columns by quantity.

    Raises:
        ValueError: naming both.
    """
    taken: dict[int, str] = {}
    for quantity, i in used.items():
        if i in taken:
            raise ValueError(
                f"{path}: {taken[i]} and {quantity} are one column, {header[i]!r}; each "
                "needs its own."
            )
        taken[i] = quantity
    for i, quantity in taken.items():
        if list(header).count(header[i]) > 1:
            raise ValueError(
                f"{path}: the column {header[i]!r} stands {list(header).count(header[i])} "
                f"times; which one is the {quantity}? Rename the others."
            )


def _by_extra(path: Path, what: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ImportError as error:
        raise ImportError(
            f"{path}: reading {what} files needs `pip install 'naion[cycler]'` ({error})."
        ) from None
    except Exception as error:
        # Whatever a foreign parser says of a file, it says of the file.
        said = " ".join(str(error).split())[:200]
        raise ValueError(
            f"{path} cannot be read as a {what} file ({type(error).__name__}: {said})."
        ) from None


def _by_batterydf(path: Path) -> DataFrame:
    import bdf

    return bdf.parse(path)


def _neware(path: Path) -> Sheet:
    """The record in a binary of Neware.

    Raises:
        ValueError: where there is none that the package reads. Of what is damaged it makes a
            table of text.
    """
    suffix = path.suffix.lower()
    try:
        found = _stored(path, _by_extra(path, suffix, lambda: _by_batterydf(path)))
        reason = "no record is found in it"
    except ValueError as error:
        found, reason = None, str(error).removeprefix(f"{path} ").rstrip(".")
    if found is None or not all(label.isprintable() for label in found.header):
        raise ValueError(
            f"{path}: {reason}: it is damaged or cut off, or of a version that batterydf "
            f"does not know. {remedy(path)}"
        )
    return found


def _stored(path: Path, frame: DataFrame) -> Sheet:
    if not len(frame.columns) or len(frame) < 2:
        raise ValueError(f"{path}: {len(frame)} rows; expected two at least.")
    header = tuple(str(c).strip() for c in frame.columns)
    frame = frame.reset_index(drop=True)
    frame.columns = range(len(header))
    return Sheet(path, header, frame, 1)


def _spreadsheet(path: Path, score: Score, sheet: str | int | None) -> Sheet:
    import pandas as pd

    def read() -> dict[str, DataFrame]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles that openpyxl does not know
            every = pd.read_excel(path, sheet_name=None, header=None, dtype=object)
        return {str(name): frame for name, frame in every.items()}

    sheets = _by_extra(path, "spreadsheet", read)
    names = list(sheets)
    if isinstance(sheet, int) and 1 <= sheet <= len(names):
        names = [names[sheet - 1]]
    elif sheet is not None:
        if sheet not in names:
            raise ValueError(
                f"{path}: no sheet {sheet!r}; it has {', '.join(map(repr, names))}."
            )
        names = [str(sheet)]
    best: tuple[float, str, int] = (-1.0, names[0], 0)
    of_each: dict[str, list[str]] = {}
    for name in names:
        own = best[0]
        for k, row in enumerate(sheets[name].head(SCANNED).itertuples(index=False)):
            found = score(_labels(row)), name, k
            best = max(best, found, key=lambda b: b[0])
            if found[0] > 0.0 and found[0] >= own:
                own, of_each[name] = found[0], _labels(row)
    _, name, k = best
    alike = [n for n in of_each if n != name and of_each[n] == of_each.get(name)]
    if alike:
        caution(
            f"{path}: of {len(alike) + 1} sheets with the same labels {name!r} alone is "
            f"read; sheet names another, such as {alike[0]!r}."
        )
    frame = sheets[name]
    if len(frame) < k + 3:
        raise ValueError(f"{path}, sheet {name!r}: no header with two rows below it.")
    above = frame.iloc[max(k - DEEPEST, 0) : k].values.tolist()
    if is_layered(above, list(frame.iloc[k])):
        rows = frame.iloc[k + 1 :].values.tolist()
        return _of_layers(path, above, list(frame.iloc[k]), rows, k + 2)
    header = tuple(_labels(frame.iloc[k]))
    below = _without_units(frame.iloc[k + 1 :].reset_index(drop=True))
    below.columns = range(len(header))
    return Sheet(path, header, below.dropna(how="all"), k + 2)


def _labels(row: Any) -> list[str]:
    return ["" if v is None or v != v else str(v).strip() for v in row]


def _text(path: Path, score: Score) -> Sheet:
    lines, k, header, delimiter = _header(path, score)
    before = "\n".join(lines[:k])
    above = [parted(line, delimiter) for line in lines[max(k - DEEPEST, 0) : k]]
    if is_layered(above, header):
        rows = csv.reader(lines[k + 1 :], delimiter=delimiter)
        found = _of_layers(path, above, header, rows, k + 2)
        return replace(found, delimiter=delimiter, before=before)
    frame = _cells(path, lines, k, header, delimiter)
    frame = _without_units(frame)
    blank = (frame == "").all(axis=1)
    frame = frame[~blank]
    if len(frame) < 2:
        raise ValueError(
            f"{path}: {len(frame)} rows below the header (row {k + 1}); expected two at "
            "least."
        )
    return Sheet(path, tuple(header), frame, k + 2, delimiter, before)


DEEPEST = 3
"""Most layers above records."""


def _of_layers(
    path: Path,
    above: Sequence[Sequence[Any]],
    header: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    first: int,
) -> Sheet:
    """The records of an export in layers, with their cycles and steps.

    Args:
        path: of the file.
        above, header, rows: as of `flattened`.
        first: row of the file in which the first of the rows is.

    Raises:
        ValueError: where there are no records.
    """
    import pandas as pd

    found = flattened(above, header, rows)
    if len(found.rows) < 2:
        raise ValueError(
            f"{path}: layers of cycles, steps and records (headers down to row "
            f"{first - 1}), with {len(found.rows)} records; expected two at least. Export "
            "the layer of records too."
        )
    frame = pd.DataFrame(found.rows, index=found.at, columns=range(len(found.header)))
    text = frame.map(lambda v: v.strip() if isinstance(v, str) else v)
    return Sheet(path, tuple(found.header), text, first)


def _header(path: Path, score: Score) -> tuple[list[str], int, list[str], str]:
    """Lines of a text, which of them is the header, its labels, and what parts them."""
    text = read_text(path, fallback="latin-1")
    # As pandas counts rows; a quoted line break would be one in neither.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    best: tuple[float, int, str] = (0.0, -1, ",")
    for k, line in enumerate(lines[:SCANNED]):
        for d in _delimiters(line):
            known = score(parted(line, d))
            best = max(best, (known, -k, d), key=lambda b: b[:2])
        if best[0] >= ENOUGH:
            break
    known, k, delimiter = best[0], -best[1], best[2]
    named = None if known > 0.0 else _above_numbers(lines)
    if named is not None:
        k, delimiter = named
    elif known <= 0.0:
        k = next((i for i, s in enumerate(lines) if s.strip(" ,;\t")), -1)
        if k < 0:
            raise ValueError(f"{path}: empty; expected a header and at least two rows.")
        delimiter = max(DELIMITERS, key=lines[k].count)
    return lines, k, parted(lines[k], delimiter), delimiter


NUMBER = re.compile(r"[+-]?\d[\d.,:eE+-]*")
"""A cell that holds a number or a time."""


def _above_numbers(lines: Sequence[str]) -> tuple[int, str] | None:
    """The line of as many names as there are cells in the first row of numbers below it,
    and the delimiter; none where there is no such line."""
    for r, line in enumerate(lines[:SCANNED]):
        for d in _delimiters(line):
            cells = parted(line, d)
            if len(cells) < 2 or 2 * sum(map(_is_numeric, cells)) < len(cells):
                continue
            for k in range(r - 1, -1, -1):
                names = parted(lines[k], d)
                units = all(n[:1] in ("[", "(") for n in names)
                if len(names) == len(cells) and not units:
                    if not any(map(_is_numeric, names)):
                        return k, d
                    break
    return None


def _is_numeric(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is not None


def _delimiters(line: str) -> list[str]:
    """What may part a line: spaces only where nothing else does."""
    return [d for d in DELIMITERS if d in line] or [" "]


def parted(line: str, delimiter: str) -> list[str]:
    """The labels of a line; one that is longer than any header is one label."""
    if len(line) > LONGEST:
        return [line.strip()]
    if delimiter == " ":
        return line.lstrip("~").split()
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return [c.strip().lstrip("~\ufeff") for c in cells]


def _cells(
    path: Path, lines: list[str], k: int, header: list[str], delimiter: str
) -> DataFrame:
    """Text below a header, columns by position.

    Raises:
        ValueError: for rows with more cells than the header, that hold something.
    """
    import pandas as pd

    below = "\n".join(lines[k + 1 :])
    width = len(header)
    try:
        frame = _frame(below, delimiter, width)
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        longest = width
        for i, line in enumerate(lines[k + 1 :]):
            cells = parted(line, delimiter)
            if len(cells) > width and any(cells[width:]):
                raise ValueError(
                    f"{path}, row {k + i + 2}: {len(cells)} cells under {width} names "
                    f"(header in row {k + 1}). With decimal commas, put semicolons "
                    "between the columns; else name all of them."
                ) from None
            longest = max(longest, len(cells))
        # Delimiters behind the last column hold nothing.
        frame = _frame(below, delimiter, longest)[list(range(width))]
    return frame.fillna("").apply(lambda c: c.str.strip())


def _frame(text: str, delimiter: str, width: int) -> DataFrame:
    """Cells as text, so many in a row."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            io.StringIO(text),
            sep=r"\s+" if delimiter == " " else delimiter,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
        )


def _without_units(frame: DataFrame) -> DataFrame:
    """Rows below a row of units such as '[V]', if there is one."""
    import pandas as pd

    if not len(frame):
        return frame
    first = [str(v).strip() for v in frame.iloc[0] if not pd.isna(v) and str(v).strip()]
    units = [v for v in first if v[0] in "[(" and v[-1] in "])"]
    return frame.iloc[1:] if first and len(units) == len(first) else frame


def listed(labels: Sequence[str], most: int = 24) -> str:
    """Labels in quotes, at most so many of them."""
    shown = [repr(h if len(h) <= 60 else h[:57] + "...") for h in labels[:most]]
    more = len(labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def is_number(cells: Series) -> bool:
    """Whether a column is stored as numbers."""
    import pandas as pd

    return pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(
        cells
    )


def finite(cells: Series) -> np.ndarray:
    """Numbers of a column that is stored as such; NaN where there is none."""
    return cells.to_numpy(dtype=float, na_value=np.nan)
