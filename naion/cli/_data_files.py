"""Several measured files at once: a row for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._columns import in_columns
from ..data import oddities, steps_of
from ..io import read_data, read_spectra
from ._exit import EXIT
from ._said import CautionsOfFiles, complaint
from ._streams import say
from ._template import holds_spectra

HEAD = (
    *("file", "rows", "lasts [h]", "cycles", "charges", "discharges", "holds", "rests"),
    *(
        "other",
        "voltage [V]",
        "current [A]",
        "out [A.h]",
        "in [A.h]",
        "T [degC]",
        "odd",
    ),
)


def check_record(file: Path, reading: Mapping[str, Any]) -> None:
    """Raise for options of impedance where a file is none."""
    if "imaginary" in reading:
        raise ValueError(
            f"--imaginary: {file} is not read as impedance; name the columns, "
            '--column frequency="..." real="..." imaginary="...".'
        )


def show_files(
    files: Sequence[Path], reading: Mapping[str, Any], capacity: float | None
) -> int:
    """Print a row for each file, what is odd in it, and which cannot be read.

    Args:
        files: measured.
        reading: arguments of `read_data` or `read_spectra`, the same for all.
        capacity: of the cell [A.h], for what is odd.

    Returns:
        the exit status: bad input, if a file cannot be read.
    """
    rows, odd, wrong = [list(HEAD)], [], []
    cautions = CautionsOfFiles()
    for file in files:
        with cautions.of(file):
            try:
                row, strange = _row(file, reading, capacity)
            except Exception as error:
                why = complaint(error)
                if why is None:
                    raise
                row, strange = [str(file), *[""] * (len(HEAD) - 2), "not read"], []
                wrong.append(why)
        rows.append(row)
        odd += [f"odd: {file}: {text}" for text in strange]
    cautions.say()
    used = [k for k in range(len(HEAD)) if any(r[k] for r in rows[1:])]
    print(in_columns([[r[k] for k in used] for r in rows]))
    for text in odd:
        print(f"\n{text}")
    print(
        f"\n{len(files)} files. One of them alone is shown with its steps and the [[data]] "
        "entries of a fit: naion data FILE"
    )
    for why in wrong:
        say(f"naion: {why}")
    return EXIT["bad_input"] if wrong else EXIT["completed"]


def _row(
    file: Path, reading: Mapping[str, Any], capacity: float | None
) -> tuple[list[str], list[str]]:
    """The row of a file, and what is odd in it."""
    if holds_spectra(file, reading):
        n = len(read_spectra(file, **reading))
        kind = f"impedance: {n} {'spectrum' if n == 1 else 'spectra'}"
        return [str(file), *[""] * (len(HEAD) - 2), kind], []
    check_record(file, reading)
    table = read_data(file, **reading)
    t, current, V = table["time_s"], table["current_A"], table["voltage_V"]
    steps = steps_of(table)
    kinds = [s.kind for s in steps]
    charges = np.array([s.charge for s in steps])
    T, cycles = table.get("temperature_degC"), table.get("cycle")
    strange = oddities(table, capacity)
    row = [
        str(file),
        str(len(t)),
        f"{(t[-1] - t[0]) / 3600.0:.4g}",
        "" if cycles is None else str(len(np.unique(cycles))),
        *(str(kinds.count(k)) for k in ("charge", "discharge", "hold", "rest")),
        str(kinds.count("profile") or ""),
        f"{np.min(V):.3f} to {np.max(V):.3f}",
        f"{np.min(current):.4g} to {np.max(current):.4g}",
        f"{np.sum(charges[charges > 0.0]):.4g}",
        f"{np.sum(-charges[charges < 0.0]):.4g}",
        "" if T is None else f"{np.min(T):.1f} to {np.max(T):.1f}",
        f"{len(strange)} odd" if strange else "",
    ]
    return row, strange
