"""CSV tables, read by column name with one clear error for the first bad row."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .._files import write_whole

# Accepted names of each column; Battery Data Format labels among them. BDF currents are
# positive on charge and so change sign.
ALIASES = {
    "time_s": ("time_s", "Test Time / s", "test_time_second"),
    "current_A": ("current_A",),
    "current_charge_positive_A": ("Current / A", "current_ampere"),
    "voltage_V": ("voltage_V", "Voltage / V", "voltage_volt"),
    "temperature_degC": (
        "temperature_degC",
        "Surface Temperature T1 / degC",
        "Ambient Temperature / degC",
    ),
}


def read_profile(path: Path | str) -> dict[str, np.ndarray]:
    """Columns time_s, current_A (discharge positive) and optional temperature_degC.

    Raises:
        ValueError: naming file, row and remedy.
    """
    table = _read(Path(path), ("time_s", "current_A"), ("temperature_degC",))
    _increasing(Path(path), table["time_s"], strictly=False)
    return table


def read_measurement(path: Path | str) -> dict[str, np.ndarray]:
    """Columns time_s, current_A (discharge positive), voltage_V, optional temperature.

    naion's own names or those of the Battery Data Format, whose currents are positive on
    charge and are turned round.

    Raises:
        ValueError: naming file, row and remedy.
    """
    needed = ("time_s", "current_A", "voltage_V")
    table = _read(Path(path), needed, ("temperature_degC",))
    _increasing(Path(path), table["time_s"], strictly=False)
    return table


def write_csv(
    path: Path | str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table; a broken write leaves no file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue())


def _read(path: Path, needed, optional) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    with path.open(newline="", encoding="utf-8-sig") as f:
        lines = [(i, r) for i, r in enumerate(csv.reader(f), start=1) if r]
    lines = [(i, r) for i, r in lines if not r[0].startswith("#")]
    if len(lines) < 3:
        found = f"{len(lines) - 1} row of numbers" if len(lines) > 1 else "empty"
        raise ValueError(f"{path}: {found}; expected a header and at least two rows.")
    header = [h.strip() for h in lines[0][1]]
    columns = {}
    for name in (*needed, *optional):
        index, sign = _column(header, name)
        if index is None:
            if name in optional:
                continue
            raise ValueError(
                f"{path}: no column {name!r} (or {', '.join(ALIASES[name][1:]) or '-'}); "
                f"the header has {', '.join(header)}."
            )
        columns[name] = (index, sign)
    table: dict[str, list[float]] = {name: [] for name in columns}
    for number, cells in lines[1:]:
        for name, (index, sign) in columns.items():
            try:
                value = sign * float(cells[index])
            except (IndexError, ValueError):
                got = cells[index] if index < len(cells) else "nothing"
                raise ValueError(
                    f"{path}, row {number}: {name} is {got!r}, not a number."
                ) from None
            if not np.isfinite(value):
                raise ValueError(f"{path}, row {number}: {name} is not finite.")
            if name == "temperature_degC" and not -100.0 < value < 150.0:
                raise ValueError(
                    f"{path}, row {number}: {value} degC is not a temperature of a "
                    "cell; is the column in kelvin?"
                )
            table[name].append(value)
    return {name: np.array(values) for name, values in table.items()}


def _column(header: list[str], name: str) -> tuple[int | None, float]:
    for alias in ALIASES[name]:
        if alias in header:
            return header.index(alias), 1.0
    if name == "current_A":
        for alias in ALIASES["current_charge_positive_A"]:
            if alias in header:
                return header.index(alias), -1.0
    return None, 1.0


def _increasing(path: Path, t: np.ndarray, strictly: bool) -> None:
    for i in range(1, len(t)):
        if t[i] < t[i - 1] or (strictly and t[i] == t[i - 1]):
            raise ValueError(
                f"{path}, data row {i + 1}: time {t[i]:g} s comes after {t[i - 1]:g} s. "
                "Sort the rows, or let time_s run on between steps."
            )
