"""Which column of a table is which quantity, by its labels or by a mapping."""

import difflib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ._candidates import candidates, only_candidates, without_unit
from ._conversions import UNITS, factor_of
from ._formats import (
    FORMATS,
    NAMES,
    NEEDED,
    USUAL,
    Format,
    Found,
    columns_of,
    first_of,
    parts,
    recognised,
)
from ._labels import meaning
from ._sources import Sheet, check_once, listed

OUT = {
    "time": "time_s",
    "current": "current_A",
    "voltage": "voltage_V",
    "temperature": "temperature_degC",
    "negative_potential": "negative_potential_V",
    "positive_potential": "positive_potential_V",
    "cycle": "cycle",
    "step": "step",
}
"""Names of the columns that `read_data` gives, by quantity."""

CYCLES = ("cycle", "cycle count", "cycle index", "cycle number")
STEPS = ("step", "step count", "step index", "step number")


class Asked(NamedTuple):
    """How the columns of a file are to be read.

    Attributes:
        columns: the column of each quantity.
        positive: what a positive current is, "charge" or "discharge", or "state" where a
            column says it.
        step_time: whether times begin anew in every step.
        by: whose labels these are, for messages; "" where a mapping names them.
    """

    columns: dict[str, Found]
    positive: str
    step_time: bool
    by: str
    needed: tuple[str, ...] = NEEDED


FRAME = ("Time [s]", "Current [A]", "Voltage [V]", "Discharge capacity [A.h]")
"""Labels by which a table of `Solution.to_pandas` is known. Those of PyBaMM, which count
currents as positive on discharge too, are among them."""


def is_frame(header: Sequence[str]) -> bool:
    """Whether a table is one of `Solution.to_pandas`."""
    return set(FRAME) <= set(header)


def which_columns(
    table: Sheet,
    format: str | None,
    columns: Mapping[str, str],
    units: Mapping[str, str],
    positive: str | None,
    needed: tuple[str, ...] = NEEDED,
) -> Asked:
    """Find the column of each quantity; arguments as of `read_data`.

    Columns that no format names are taken where exactly one could be the quantity, by its
    plain name and its unit.

    Args:
        needed: quantities that the table must have; others of `NEEDED` are not read.

    Raises:
        ValueError: for a needed quantity without a column, a mapping that names none, or a
            sign of the current that is not known.
    """
    own, sign = own_columns(table.header)
    maker = _maker(format, table.header, own)
    found = dict(columns_of(maker, table.header) if maker else own)
    usual = "charge" if maker else sign
    step_time = False
    if maker and "time" not in found and "time" not in columns:
        began = first_of(maker.step_time, table.header, "s")
        if began:
            found["time"], step_time = began, True
    for q, label in columns.items():
        found[q] = _mapped(table, q, label)
        if q == "current":
            usual = own_columns([found[q].label])[1] or ("charge" if maker else "")
    missing = [q for q in needed if q not in found]
    alone = only_candidates(missing, table.header, units)
    found |= alone
    if "current" in alone:
        usual = "charge" if maker else ""
    for q, unit in units.items():
        if q not in found:
            raise ValueError(
                f"{table.path}: units: no column is known to be {q}; name it in columns. "
                f"The header has {listed(table.header)}."
            )
        found[q] = found[q]._replace(unit=unit)
    by = maker.name if maker else ""
    missing = [q for q in missing if q not in found]
    if missing:
        raise ValueError(_missing(table, missing, by))
    if "voltage" not in needed:
        found = {q: f for q, f in found.items() if q not in VOLTAGES}
    check_once(table.path, table.header, {q: f.index for q, f in found.items()})
    sign = _sign(table, found, positive or usual)
    by = by if maker or columns or alone else "naion"
    return Asked(found, sign, step_time, by, needed)


VOLTAGES = ("voltage", "negative_potential", "positive_potential")
"""What a table of currents alone is read without."""


def _maker(
    format: str | None, header: Sequence[str], own: Mapping[str, Found]
) -> Format | None:
    """The maker whose labels a file has: the one asked for, or the one recognised.

    None for naion's labels and those of the Battery Data Format.
    """
    makers = {f.name: f for f in FORMATS}
    if format in makers:
        return makers[format]
    if format is None and not set(NEEDED) <= set(own):
        return recognised(header)
    return None


def _sign(table: Sheet, found: Mapping[str, Found], positive: str) -> str:
    """What a positive current is, if that is known.

    Raises:
        ValueError: where it is not, or where a column of states should say it.
    """
    if not positive:
        read = ", ".join(f"{q} {f.label!r}" for q, f in found.items())
        raise ValueError(
            f"{table.path}: only the sign of the current is missing: "
            f"{found['current'].label!r} does not say which sign a discharge has. Add "
            'positive = "charge" (--positive charge; most cyclers), "discharge" (most '
            f'models), or "state" with a column of states. All else is known: {read}.'
        )
    if positive == "state" and "state" not in found:
        raise ValueError(
            f"{table.path}: positive = 'state' needs the column of states; name it in "
            f"columns. The header has {listed(table.header)}."
        )
    return positive


def own_columns(header: Sequence[str]) -> tuple[dict[str, Found], str]:
    """Columns with labels of naion or BDF, and what a positive current is there."""
    names = {v: k for k, v in OUT.items()}
    ranked: dict[str, list[tuple[tuple[int, int], Found]]] = {}
    positive = ""
    for i, label in enumerate(header):
        m = meaning(label)
        if m is None:
            continue
        q = names[m.name]
        ranked.setdefault(q, []).append((m.rank, Found(i, label, m.unit)))
    found = {q: min(some, key=lambda r: r[0])[1] for q, some in ranked.items()}
    if is_frame(header):
        found["current"] = Found(list(header).index(FRAME[1]), FRAME[1], "A")
        positive = "discharge"
    elif "current" in found:
        m = meaning(found["current"].label)
        positive = "charge" if m and m.factor < 0.0 else "discharge"
    for q, labels in (("cycle", CYCLES), ("step", STEPS)):
        one = first_of(labels, header, "")
        if one:
            found[q] = one
    return found, positive


def _mapped(table: Sheet, quantity: str, label: str) -> Found:
    """The column that a mapping names, with its unit.

    Raises:
        ValueError: where there is none or several, or no unit is known.
    """
    header = table.header
    same = [i for i, h in enumerate(header) if h == label.strip()]
    same = same or [
        i for i, h in enumerate(header) if h.lower() == label.strip().lower()
    ]
    if not same:
        near = difflib.get_close_matches(label, header, 1, 0.4)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"{table.path}: no column {label!r} for {quantity}.{meant} The header has "
            f"{listed(header)}."
        )
    if len(same) > 1:
        raise ValueError(
            f"{table.path}: the column {label!r} stands {len(same)} times; which one "
            "counts? Rename the others."
        )
    i = same[0]
    m = meaning(header[i])
    if m is not None and OUT.get(quantity) == m.name:
        return Found(i, header[i], m.unit)
    one = first_of((parts(header[i])[0],), [header[i]], USUAL.get(quantity, ""))
    unit = one.unit if one else ""
    try:
        factor_of(quantity, unit) if quantity in UNITS else None
    except ValueError as error:
        raise ValueError(
            f"{table.path}: column {label!r}: {error} Give it in units."
        ) from None
    return Found(i, header[i], unit)


def _missing(table: Sheet, missing: Sequence[str], by: str) -> str:
    """The error of a table without some quantities, with the columns that could be them."""
    known = f" as {by} names it" if by else ""
    header = table.header
    if not by and (said := only_units(missing, header)):
        return f"{table.path}: {said}"
    hints = hints_of(missing, header)
    meant = f" Perhaps {', '.join(hints)}?" if hints else ""
    return (
        f"{table.path}: no column of {', '.join(missing)}{known}; the header has "
        f"{listed(header)}.{meant} Name columns and units (columns = "
        '{time = "...", current = "...", voltage = "..."}, units = {current = "mA"}; in a '
        f"command --column, --unit), or one of the formats {', '.join(NAMES)}."
    )


def only_units(missing: Sequence[str], header: Sequence[str]) -> str:
    """What to add to a table of which units are all that is not known; else nothing.

    Args:
        missing: quantities without a column.
        header: labels.
    """
    bare = without_unit(missing, header)
    rest = [q for q in missing if q not in bare]
    if not bare or len(only_candidates(rest, header, {})) < len(rest):
        return ""
    units = " ".join(f"{q}={USUAL[q]}" for q in bare)
    toml = ", ".join(f'{q} = "{USUAL[q]}"' for q in bare)
    sign, option, key = "", "", ""
    if "current" in missing:
        sign = ", nor which sign a discharge has"
        option = " and --positive charge (most cyclers) or discharge"
        key = ' and positive = "charge"'
    return (
        f"the header has {listed(header)}, which does not say in which units "
        f"{', '.join(bare)} are{sign}. Add --unit {units} (or what they are){option}; in "
        f"Python and in a fit's file units = {{{toml}}}{key}."
    )


def hints_of(missing: Sequence[str], header: Sequence[str]) -> list[str]:
    """Pairs of a quantity and a column that could be it."""
    hints = []
    low = [h.lower() for h in header]
    for q in missing:
        some = candidates(q, header)
        near = difflib.get_close_matches(q, low, 1, 0.5)
        if some:
            hints += [f"{q} = {f.label!r}" for f in some[:3]]
        elif near:
            hints.append(f"{q} = {header[low.index(near[0])]!r}")
    return hints
