"""A commented FIT.toml from measured files: `naion fit --template`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data import MeasuredStep, steps_of
from ..io import Spectrum, has_spectra, read_cell, read_data, read_spectra
from ..parameters import (
    Cell,
    electrode_capacities,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
)

USUAL = "nfm_hc_18650"
"""The cell of a template where none is given."""

NEAR_TOP = 0.1
"""Where the cell has no such rest, this near to the upper limit it is charged [V]."""

LITTLE = 0.003
"""So small a share of the capacity may be gone from the charged state."""

MOST = 12
"""Entries from one file; what is left out is said."""

LONGEST = 120.0
"""What lasts longer is no pulse [s]."""

HEAD = """\
# A fit, for `naion fit {name} --out fitted`. Written from your files: read each line.
# What can stand here: `naion fit --help`, `naion fit --schema`.

cell = "{cell}"  {about}
mesh = [6, 3, 6, 16]  # coarse and fast; without this line, the cell's own
"""

LAYER = """\
double_layer = 0.2  # [F.m-2] of the particles, ASSUMED; impedance needs it, and tells it
double_layer_exponent = 0.9  # ASSUMED; below 1 arcs are depressed, as measured ones are
"""

FREE_LAYER = """
# For impedance: an arc's frequency tells the double layer of its electrode, its depression
# the exponent.

[[free]]
path = "negative.double_layer.capacitance"
bounds = [0.01, 5.0]           # [F.m-2]
transform = "log"
prior = 1.0

[[free]]
path = "positive.double_layer.capacitance"
bounds = [0.01, 5.0]
transform = "log"
prior = 1.0

[[free]]
path = "negative.double_layer.exponent"
bounds = [0.5, 1.0]
prior = 0.1

[[free]]
path = "positive.double_layer.exponent"
bounds = [0.5, 1.0]
prior = 0.1
"""

NO_LEADS = """
# Where spectra cross the real axis at high frequencies, the leads have an inductance:
# [[free]]
# path = "lead_inductance"     # [H]; or lead_resistance [ohm]
# bounds = [0.0, 1e-5]
# prior = 1e-6
"""

LEADS = """
# The spectra cross the real axis at high frequencies: the leads have an inductance. Without
# it the fitted arcs and exponents would be wrong.

[[free]]
path = "lead_inductance"       # [H]; or lead_resistance [ohm]
bounds = [0.0, 1e-5]
prior = 1e-6
"""

FREE = """\
# What the fit may move, within bounds. A scale multiplies the whole property; the start is
# the cell's own value, 1. Free few numbers first, and those that your data can tell: slow
# curves say little of diffusion and reaction, pulses and high rates say more.

[[free]]
path = "contact_resistance.scale"
bounds = [0.05, 20.0]
transform = "log"
prior = 1.0                    # standard deviation of its logarithm: a factor of e

[[free]]
path = "negative.particle.diffusivity.scale"
bounds = [0.02, 50.0]
transform = "log"
prior = 1.0

[[free]]
path = "positive.particle.rate_constant.scale"
bounds = [0.02, 50.0]
transform = "log"
prior = 1.0
"""


def template(
    files: Sequence[Path], to: Path, cell_name: str | None, reading: Mapping[str, Any]
) -> str:
    """The text of a FIT.toml that uses these files.

    Args:
        files: measured.
        to: where it will stand; names of files are relative to its folder.
        cell_name: a set or a cell.json; none: `USUAL`, marked so.
        reading: arguments of `read_data`, the same for all.

    Raises:
        ValueError: for files that cannot be read.
    """
    name = cell_name or USUAL
    cell, _ = read_cell(name)
    about = "# a set (`naion sets`) or a cell.json"
    if cell_name is None:
        about = "# ASSUMED: put the set or the cell.json of your cell here"
    parts = [HEAD.format(name=to.name, cell=name, about=about)]
    spectra = [holds_spectra(file, reading) for file in files]
    leads = NO_LEADS
    if any(spectra):
        parts[0] += LAYER
    for file, is_impedance in zip(files, spectra, strict=True):
        shown = _relative(file, to.parent)
        if is_impedance:
            own = of_spectra(reading)
            found = read_spectra(file, **own)
            parts.append(spectrum_entries(shown, found, own, cell))
            if any(map(_ends_inductive, found)):
                leads = LEADS
            continue
        own = of_records(reading)
        table = read_data(file, **own)
        parts.append(entries(shown, table, steps_of(table), own, cell))
    parts.append(FREE + FREE_LAYER + leads if any(spectra) else FREE)
    return "\n".join(parts)


def holds_spectra(file: Path, reading: Mapping[str, Any]) -> bool:
    """Whether a file is read as impedance: by its labels, or as it is asked for.

    Args:
        file: measured.
        reading: arguments of `read_data` or `read_spectra`.
    """
    if "format" in reading or "positive" in reading:
        return False
    asked = set(reading.get("columns", {}))
    if asked & {"time", "current", "cycle", "step", "state"}:
        return False
    if asked & {"frequency", "real", "imaginary", "modulus", "phase"}:
        return True
    return has_spectra(file, reading.get("sheet"))


def of_spectra(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that are of `read_spectra`."""
    return {k: v for k, v in reading.items() if k not in ("format", "positive")}


def of_records(reading: Mapping[str, Any]) -> dict[str, Any]:
    """Those arguments that are of `read_data`."""
    return {k: v for k, v in reading.items() if k != "imaginary"}


def spectrum_entries(
    file: Path,
    found: Sequence[Spectrum],
    reading: Mapping[str, Any],
    cell: Cell | None,
) -> str:
    """The `[[data]]` entries that would use the spectra of a file.

    Args:
        file: as it is to be named.
        found: what is in it.
        reading: arguments of `read_spectra` that are not the usual ones.
        cell: for starts; none: they are left to the reader.
    """
    entries = []
    for k, one in enumerate(found[:MOST]):
        lines = ["[[data]]", f"file = {json.dumps(str(file), ensure_ascii=False)}"]
        lines += _reading(reading)
        lines.append('kind = "impedance"  # of the full cell, at rest')
        if len(found) > 1:
            lines.append(f"spectrum = {k + 1}  # of {len(found)}")
        lines.append(_state(one, cell))
        if np.isnan(one.temperature):
            lines.append("# temperature = 25  # [degC]; none was measured: give it")
        lines.append("relative_sigma = 0.02  # standard deviation over |Z|")
        entries.append("\n".join(lines) + "\n")
    if len(found) > MOST:
        entries.append(
            f"# {len(found) - MOST} more spectra of this file are left out.\n"
        )
    return "\n".join(entries)


def _ends_inductive(one: Spectrum) -> bool:
    """Whether a spectrum is that of a coil at its highest frequency."""
    return bool(one.impedance[np.argmax(one.frequency)].imag > 0.0)


def _state(one: Spectrum, cell: Cell | None) -> str:
    """The line that says at which state of charge a spectrum was measured."""
    guess = "soc = 0.5  # ASSUMED: give the state of charge of the spectrum"
    if cell is None or np.isnan(one.voltage):
        return guess
    try:
        gone = _gone(cell, one.voltage)
    except ValueError:
        return f"soc = 0.5  # ASSUMED: {one.voltage:.3f} V is no rest of this cell"
    if gone <= 0.0:
        return f"soc = 1.0  # {one.voltage:.3f} V under the spectrum: CHECK"
    return (
        f"discharged = {gone:.5g}  # [A.h from charged]: {one.voltage:.3f} V under the "
        "spectrum: CHECK"
    )


def _gone(cell: Cell, V: float) -> float:
    """Charge from the charged state to a rest at a voltage [A.h].

    Raises:
        ValueError: for a voltage at which the cell does not rest.
    """
    at, charged = stoichiometry_at_voltage(cell, V), stoichiometry_at_soc(cell, 1.0)
    return float((charged.negative - at.negative) * electrode_capacities(cell)[0])


def _relative(file: Path, folder: Path) -> Path:
    try:
        return file.resolve().relative_to(folder.resolve())
    except ValueError:
        return file.resolve()


def entries(
    file: Path,
    table: Mapping[str, np.ndarray],
    steps: Sequence[MeasuredStep],
    reading: Mapping[str, Any],
    cell: Cell | None,
) -> str:
    """The `[[data]]` entries that would use a file.

    Args:
        file: as it is to be named.
        table: what is in it.
        steps: its steps.
        reading: arguments of `read_data` that are not the usual ones.
        cell: for starts; none: they are left to the reader.
    """
    found, left = [], 0
    for k, s in enumerate(steps):
        useful = s.kind in ("charge", "discharge") and s.last - s.first >= 10
        useful = useful and s.duration > LONGEST
        if not useful:
            continue
        if len(found) >= MOST:
            left += 1
            continue
        # With the hold behind a charge.
        last = k + 1
        if s.kind == "charge" and last < len(steps) and steps[last].kind == "hold":
            last += 1
        found.append(_entry(file, table, steps, (k, last), reading, cell))
    pulses = [
        s
        for k, s in enumerate(steps)
        if k and s.kind in ("charge", "discharge") and s.duration <= LONGEST
        if s.last - s.first >= 2 and steps[k - 1].kind == "rest"
    ]
    if pulses:
        found.append(_pulses(file, table, steps, pulses, reading, cell))
    whole = [s for s in steps if s.kind == "profile"]
    if whole or not found:
        found.append(_entry(file, table, steps, (0, len(steps)), reading, cell))
    if left:
        found.append(
            f"# {left} more charges and discharges of this file are left out.\n"
        )
    return "\n".join(found)


def _entry(
    file: Path,
    table: Mapping[str, np.ndarray],
    steps: Sequence[MeasuredStep],
    which: tuple[int, int],
    reading: Mapping[str, Any],
    cell: Cell | None,
) -> str:
    """One entry, of steps from one to before another."""
    first, last = which
    s = steps[first]
    start, full = _start(table, steps, first, cell)
    kind = "profile"
    if last - first == 1 and s.kind == "discharge" and full:
        kind = "discharge"
    elif s.kind == "charge":
        kind = "charge"
    lines = ["[[data]]", f"file = {json.dumps(str(file), ensure_ascii=False)}"]
    lines += _reading(reading)
    lines.append(f'kind = "{kind}"' + _about(kind))
    if (first, last) != (0, len(steps)):
        span = f"{first + 1}" if last == first + 1 else f"[{first + 1}, {last}]"
        kinds = ", ".join(x.kind for x in steps[first:last])
        lines.append(f"steps = {span}  # {kinds}; as `naion data` counts them")
    if kind != "discharge":
        lines.append(start)
    T = s.temperature
    if np.isnan(T):
        lines.append("# temperature = 25  # [degC]; none was measured: give it")
    lines.append("sigma = 0.01  # [V], standard deviation")
    return "\n".join(lines) + "\n"


def _pulses(
    file: Path,
    table: Mapping[str, np.ndarray],
    steps: Sequence[MeasuredStep],
    pulses: Sequence[MeasuredStep],
    reading: Mapping[str, Any],
    cell: Cell | None,
) -> str:
    """One entry of all pulses of a file."""
    shortest = min(p.duration for p in pulses)
    times = [t for t in (1.0, 5.0, 10.0, 30.0, 60.0) if t < shortest] or [shortest]
    lines = ["[[data]]", f"file = {json.dumps(str(file), ensure_ascii=False)}"]
    lines += _reading(reading)
    lines.append(f'kind = "pulses"  # resistances of {len(pulses)} pulses from rest')
    lines.append(f"times = {times}  # [s] since each began")
    lines.append(_start(table, steps, 0, cell)[0])
    if np.isnan(pulses[0].temperature):
        lines.append("# temperature = 25  # [degC]; none was measured: give it")
    return "\n".join(lines) + "\n"


def _about(kind: str) -> str:
    return {
        "discharge": "  # one current, from the charged state",
        "charge": "  # the measured current, from the start given",
        "profile": "  # V(t) under the measured current, all of which flows",
    }[kind]


def _reading(reading: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in reading.items():
        if isinstance(value, Mapping):
            pairs = ", ".join(
                f"{q} = {json.dumps(v, ensure_ascii=False)}" for q, v in value.items()
            )
            lines.append(f"{key} = {{{pairs}}}")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return lines


def _start(
    table: Mapping[str, np.ndarray],
    steps: Sequence[MeasuredStep],
    first: int,
    cell: Cell | None,
) -> tuple[str, bool]:
    """The line that gives the start of a step, and whether it is the charged state."""
    s = steps[first]
    rested = s.kind == "rest"
    V = s.voltages[0]
    if first and steps[first - 1].kind == "rest":
        rested, V = True, steps[first - 1].voltages[1]
    if cell is None:
        return "soc = 0.5  # ASSUMED: give the state of charge at the start", False
    top = float(cell.limits.upper_voltage)
    # The first voltage of a discharge that no rest precedes is one under load.
    near = 3 * NEAR_TOP if s.kind == "discharge" and not rested else NEAR_TOP
    full = top - near < V
    how = "at rest" if rested else "the first, not at rest: CHECK"
    try:
        gone = _gone(cell, V)
    except ValueError:
        guess = 1.0 if full else 0.0 if s.kind == "charge" else 0.5
        return (
            f"soc = {guess}  # ASSUMED: {V:.3f} V is no rest of this cell",
            full,
        )
    if rested:
        full = gone < LITTLE * float(cell.nominal_capacity)
    if gone <= 0.0:
        return f"soc = 1.0  # {V:.3f} V, {how}", full
    return f"discharged = {gone:.5g}  # [A.h from charged]: {V:.3f} V, {how}", full
