"""Measured impedance spectra: exports of instruments, and any table by a mapping."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._cautions import caution
from ._conversions import as_given, check_celsius, factor_of
from ._formats import score
from ._labels import is_bookkeeping, meaning
from ._sources import Score, Sheet, check_once, header_of, listed, sheet_of
from ._spectrum_labels import (
    QUANTITIES,
    SHOWN,
    Label,
    factor_to_si,
    is_unit,
    label_of,
)

IMAGINARY = ("Im", "-Im")
"""What a column of imaginary parts, or of phases, may hold."""

PARTS = ("real", "imaginary"), ("modulus", "phase")
"""Pairs that say what an impedance is, the first before the second."""

EXPECTED = (
    "Expected are a frequency ('freq/Hz', 'Frequency (Hz)', 'Freq', frequency_Hz) and a real "
    "and an imaginary part ('Re(Z)/Ohm' and '-Im(Z)/Ohm', 'Zreal' and 'Zimag', real_ohm and "
    "imaginary_ohm) or a modulus and a phase ('|Z|/Ohm' and 'Phase(Z)/deg', modulus_ohm and "
    "phase_deg)"
)

RADIANS = 1.6
"""Phases of a passive cell lie within this, in radians; in degrees most do not."""


@dataclass(frozen=True)
class Spectrum:
    """One measured impedance spectrum.

    Attributes:
        frequency: in the order of the file, (n,) [Hz].
        impedance: Z = Re + i Im, Im below zero where the cell is capacitive, (n,) [ohm],
            or [ohm.m2] with `per_area`.
        per_area: whether the file gives it for an area.
        temperature: median of the file's temperatures [degC]; NaN if it has none.
        voltage: median of the file's voltages [V]; NaN if it has none.
    """

    frequency: NDArray[np.float64]
    impedance: NDArray[np.complex128]
    per_area: bool = False
    temperature: float = float("nan")
    voltage: float = float("nan")

    def in_ohm(self, area: float) -> NDArray[np.complex128]:
        """The impedance [ohm].

        Args:
            area: by which it is divided if the file gives it for an area [m2].
        """
        return self.impedance / area if self.per_area else self.impedance


def read_spectra(
    path: Path | str,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    imaginary: str | None = None,
    sheet: str | int | None = None,
) -> tuple[Spectrum, ...]:
    """Impedance spectra from an instrument's file.

    Reads text and CSV with anything above the header, Parquet and spreadsheets, with the
    labels of BioLogic, Gamry, Autolab, Zahner, Ivium, ZView and others like them, naion's
    own (frequency_Hz, real_ohm, imaginary_ohm; or modulus_ohm, phase_deg), or any table by
    naming its columns. Where the frequency turns back a new spectrum begins. Rows without
    an impedance, and of zero frequency, are left out.

    What was taken for what is said in one `Caution`.

    Args:
        path: of the file.
        columns: labels by quantity: "frequency", "real", "imaginary", "modulus", "phase",
            "temperature", "voltage". Others are found as without.
        units: by quantity where they are not those of the labels: "Hz", "kHz", "rad/s";
            "ohm", "mohm", "ohm.m2", "mohm.cm2", for one part or as "impedance" for
            all; "deg", "rad".
        imaginary: whether the column of imaginary parts (or of phases) holds "Im" or
            "-Im"; none: "-Im" where its label begins with a minus, else "Im".
        sheet: of a spreadsheet, by name or number from 1.

    Returns:
        the spectra, in the order of the file.

    Raises:
        ValueError: naming file, row and remedy.
        ImportError: naming the extra that reads such a file.
    """
    path, columns, units = Path(path), columns or {}, units or {}
    _check(path, columns, units, imaginary)
    table, below = _without_units(_sheet(path, columns, sheet))
    found = _found(table, below, columns, units)
    pair = _pair(table, found, columns)
    used = {
        q: c.index for q, c in found.items() if q not in sum(PARTS, ()) or q in pair
    }
    check_once(path, table.header, used)
    f = _numbers(table, "frequency", found["frequency"])
    one, two = (_numbers(table, q, found[q]) for q in pair)
    said, turned = [], _turned(found[pair[1]], imaginary)
    if turned:
        two = -two
        said.append(f"{found[pair[1]].label!r} is turned round")
    nothing = (f == 0.0) | np.isnan(f) | (np.isnan(one) & np.isnan(two))
    if nothing.any():
        said.append(f"left out without an impedance: {int(nothing.sum())} rows")
    rows = np.flatnonzero(~nothing)
    _check_rows(table, found, pair, rows, f, one, two)
    Z = one + 1j * two if pair == PARTS[0] else one * np.exp(1j * two)
    said += _of_phase(found, pair, two[rows])
    areal = {_area(found[q]) for q in pair if q != "phase"}
    if len(areal) > 1:
        raise ValueError(
            f"{path}: real and imaginary parts have units of different kinds, "
            f"{' and '.join(repr(found[q].unit) for q in pair)}; give them one (units)."
        )
    sweeps = _sweeps(f, rows)
    said.append(f"{len(sweeps)} {'spectrum' if len(sweeps) == 1 else 'spectra'}")
    others = {
        q: _numbers(table, q, found[q]) if q in found else np.full(len(f), np.nan)
        for q in ("temperature", "voltage")
    }
    if "temperature" in found:
        c = found["temperature"]
        check_celsius(table, others["temperature"], c.label, c.unit)
    _say(table, found, pair, said)
    return tuple(
        Spectrum(
            f[own],
            Z[own],
            areal == {True},
            _middle(others["temperature"][own]),
            _middle(others["voltage"][own]),
        )
        for own in sweeps
    )


def has_spectra(path: Path | str, sheet: str | int | None = None) -> bool:
    """Whether a file has labels of impedance spectra: a frequency, and of impedances."""
    try:
        header = header_of(Path(path), _known(()), sheet)
    except (ValueError, ImportError):
        return False
    known = {m.quantity for label in header if (m := label_of(label))}
    if "frequency" not in known or any(set(pair) <= known for pair in PARTS):
        return "frequency" in known
    # Half a pair is a spectrum that lacks something, unless it is a record.
    return any(set(pair) & known for pair in PARTS) and score(header) == 0.0


UPSIDE_DOWN = 0.02
"""Positive imaginary parts at low frequencies, over |Z|, that no cell has."""


def looks_upside_down(
    frequency: NDArray[np.float64], impedance: NDArray[np.complex128]
) -> bool:
    """Whether imaginary parts are positive at the lower half of the frequencies.

    Args:
        frequency: [Hz], above zero, (n,).
        impedance: (n,), in any unit.
    """
    low = np.log(frequency) <= np.mean(np.log([frequency.min(), frequency.max()]))
    return float(np.median((impedance.imag / np.abs(impedance))[low])) > UPSIDE_DOWN


class _Column(NamedTuple):
    """A column that is read: where it is, its label, its unit, whether it is turned."""

    index: int
    label: str
    unit: str
    negated: bool


def _check(path: Path, columns, units, imaginary) -> None:
    """Raise for what cannot be asked for."""
    for what, given, known in (
        ("columns", columns, QUANTITIES),
        ("units", units, tuple(SHOWN)),
    ):
        for q in given:
            if q not in known:
                near = difflib.get_close_matches(q, known, 1, 0.4)
                meant = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(
                    f"{path}: {what}: {q!r} is no quantity of a spectrum; known are "
                    f"{', '.join(known)}.{meant}"
                )
    if imaginary is not None and imaginary not in IMAGINARY:
        raise ValueError(
            f"{path}: imaginary = {imaginary!r}: what the column holds, 'Im' (below zero "
            "where the cell is capacitive) or '-Im'."
        )


def _sheet(path: Path, columns: Mapping[str, str], sheet: str | int | None) -> Sheet:
    return sheet_of(path, _known(columns.values()), sheet)


def _known(labels: Iterable[str]) -> Score:
    """How much of a header is known, the most where it has labels that are asked for."""
    wanted = set(labels)

    def known(header: Sequence[str]) -> float:
        quantities = {m.quantity for label in header if (m := label_of(label))}
        pair = any(set(p) <= quantities for p in PARTS)
        complete = 5.0 if pair and "frequency" in quantities else 0.0
        return 100.0 * len(wanted & set(header)) + complete + 0.1 * len(quantities)

    return known


def _without_units(table: Sheet) -> tuple[Sheet, dict[int, str]]:
    """The table without a row of units below its header, as Gamry has it, and the units."""
    first = [str(v).strip() for v in table.frame.iloc[0]] if len(table.frame) else []
    if sum(map(is_unit, first)) < 2:
        return table, {}
    return replace(table, frame=table.frame.iloc[1:]), dict(enumerate(first))


def _found(
    table: Sheet,
    below: Mapping[int, str],
    columns: Mapping[str, str],
    units: Mapping[str, str],
) -> dict[str, _Column]:
    """Columns by quantity, the first of each.

    Args:
        table: the file's.
        below: units by column, for labels that name none.
        columns, units: see `read_spectra`.

    Raises:
        ValueError: for a label or a unit that is not known.
    """
    header = table.header
    found: dict[str, _Column] = {}
    for i, label in enumerate(header):
        m = label_of(label)
        if m is None or m.quantity in found:
            continue
        found[m.quantity] = _column(table, i, m, below)
    for q, label in columns.items():
        i = _place(table, q, label)
        m = label_of(header[i])
        own = m if m is not None and m.quantity == q else Label(q, "", False)
        found[q] = _column(table, i, own, below)
    for q, unit in units.items():
        parts = ("real", "imaginary", "modulus") if q == "impedance" else (q,)
        some = [part for part in parts if part in found]
        if not some:
            raise ValueError(
                f"{table.path}: units: no column is known to be {q}; name it in columns. "
                f"The header has {listed(header)}."
            )
        found |= {part: found[part]._replace(unit=unit) for part in some}
    for q, c in found.items():
        try:
            _factor(q, c.unit)
        except ValueError as error:
            raise ValueError(
                f"{table.path}: {q} ({c.label!r}): {error} Give it in units."
            ) from None
    return found


def _column(table: Sheet, i: int, m: Label, below: Mapping[int, str]) -> _Column:
    return _Column(i, table.header[i], m.unit or below.get(i, ""), m.negated)


def _place(table: Sheet, quantity: str, label: str) -> int:
    """Which column a mapping names.

    Raises:
        ValueError: where there is none, or several, with the nearest.
    """
    header, asked = table.header, label.strip()
    for same in (
        [i for i, h in enumerate(header) if h == asked],
        [i for i, h in enumerate(header) if h.lower() == asked.lower()],
    ):
        if len(same) == 1:
            return same[0]
        if same:
            raise ValueError(
                f"{table.path}: the column {label!r} stands {len(same)} times; which one "
                "counts? Rename the others."
            )
    near = difflib.get_close_matches(label, header, 1, 0.4)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"{table.path}: no column {label!r} for {quantity}.{meant} The header has "
        f"{listed(header)}."
    )


def _pair(
    table: Sheet, found: Mapping[str, _Column], columns: Mapping[str, str]
) -> tuple[str, str]:
    """Which two columns say the impedance: those that are asked for, else parts first."""
    ranked = sorted(PARTS, key=lambda pair: -sum(q in columns for q in pair))
    for pair in ranked:
        if "frequency" in found and set(pair) <= set(found):
            return pair
    missing = [q for q in ("frequency", *ranked[0]) if q not in found]
    raise ValueError(
        f"{table.path}: no column of {', '.join(missing)}; the header has "
        f"{listed(table.header)}. {EXPECTED}; or name the columns: columns = "
        '{frequency = "...", real = "...", imaginary = "..."} (a command: --column).'
    )


def _factor(quantity: str, unit: str) -> tuple[float, float]:
    """Factor of a unit to SI, or to degC."""
    if quantity in ("temperature", "voltage"):
        return factor_of(
            quantity, unit or {"temperature": "degC", "voltage": "V"}[quantity]
        )
    return factor_to_si(quantity, unit)[0], 0.0


def _area(column: _Column) -> bool:
    return factor_to_si("impedance", column.unit)[1]


def _numbers(table: Sheet, quantity: str, column: _Column) -> np.ndarray:
    factor, offset = _factor(quantity, column.unit)
    return as_given(table, column.index, quantity) * factor + offset


def _turned(column: _Column, imaginary: str | None) -> bool:
    return column.negated if imaginary is None else imaginary == "-Im"


def _check_rows(table, found, pair, rows, f, one, two) -> None:
    """Raise for rows that cannot be, naming them."""
    if not rows.size:
        raise ValueError(f"{table.path}: no row with a frequency and an impedance.")
    for bad, what in (
        (f[rows] < 0.0, "frequency is below zero"),
        (~np.isfinite(f[rows]), "frequency is not finite"),
        (~np.isfinite(one[rows]), f"{pair[0]} is empty or not finite"),
        (~np.isfinite(two[rows]), f"{pair[1]} is empty or not finite"),
        ((one[rows] < 0.0) & (pair[0] == "modulus"), "modulus is below zero"),
    ):
        if bad.any():
            k = int(rows[np.argmax(bad)])
            label = found[what.split(" ")[0]].label
            raise ValueError(f"{table.path}, row {table.row(k)}: {what} ({label!r}).")


def _of_phase(found, pair, phase: np.ndarray) -> list[str]:
    """What is odd about phases in degrees."""
    if pair != PARTS[1] or found["phase"].unit.lower().startswith("rad"):
        return []
    largest = float(np.max(np.abs(np.rad2deg(phase))))
    if 0.0 < largest < RADIANS:
        return [
            f"phases in degrees reach {largest:.2g} only: if they are in radians, units = "
            '{phase = "rad"}'
        ]
    return []


def _sweeps(f: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """Rows of every sweep: it ends where the frequency turns."""
    sweeps, way = [[int(rows[0])]], 0.0
    for before, k in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        step = float(np.sign(f[k] - f[before]))
        if step * way < 0.0:
            sweeps.append([])
            way = 0.0
        else:
            way = way or step
        sweeps[-1].append(k)
    return [np.array(own) for own in sweeps]


def _middle(values: np.ndarray) -> float:
    held = values[np.isfinite(values)]
    return float(np.median(held)) if held.size else float("nan")


def _say(table: Sheet, found, pair, said: list[str]) -> None:
    used = [q for q in ("frequency", *pair, "temperature", "voltage") if q in found]
    units = {"frequency": "Hz", "phase": "deg", "temperature": "degC", "voltage": "V"}
    taken = ", ".join(
        f"{q} {found[q].label!r} [{found[q].unit or units.get(q, 'ohm')}]" for q in used
    )
    at = {found[q].index for q in used}
    left = [h for i, h in enumerate(table.header) if i not in at and h]
    rest = [h for h in left if not is_bookkeeping(h) and meaning(h) is None]
    if rest:
        said.append(f"not used: {listed(rest)}")
    caution(f"{table.path} read: {taken}; {'; '.join(said)}.")
