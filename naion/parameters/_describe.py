"""A cell in readable form: a table of its numbers for terminals, and HTML for notebooks."""

import base64
import html
import io
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._columns import in_columns
from .._constants import ZERO_CELSIUS
from .._quality import QUALITIES
from ..properties import Constant, Invariant, Property, Table
from ._known import Recognised, is_half_cell, recognised
from ._metals import source_of
from ._misfits import is_number
from ._names import Named, named
from ._numbers import compositions

SHORTEST_SOURCE = 24
"""Fewest characters of a source that are shown, however narrow the terminal is."""

_GROUPS = {
    "": "Cell",
    "limits": "Limits",
    "negative": "Negative electrode",
    "separator": "Separator",
    "positive": "Positive electrode",
    "electrolyte": "Electrolyte",
    "thermal": "Heat",
    "published": "State as published",
    "kinetics": "Kinetics",
}


METAL = "Metal (counter electrode)"
"""Heading for the negative electrode of a half cell, of which only the kinetics are
shown."""


class Row(NamedTuple):
    """A row of the table, as text."""

    group: str
    name: str
    value: str
    unit: str
    quality: str
    source: str


def in_words(cell: Any) -> str:
    """Text for terminals: limits, capacity, and a table of all numbers with sources."""
    of = _recognised(cell)
    rows = list(_rows(cell, of))
    told = [_title(cell, of), *(f"  {line}" for line in _summary(cell, of))]
    width = shutil.get_terminal_size((110, 24)).columns
    plain = [[f"  {r.name}", r.value, r.unit, r.quality] for r in rows]
    used = sum(max(len(row[k]) for row in plain) + 2 for k in range(4))
    most = max(width - used - 2, SHORTEST_SOURCE)
    lines, group = [], None
    for row, r in zip(plain, rows, strict=True):
        if r.group != group:
            group = r.group
            lines.append([r.group, "", "", "", ""])
        lines.append([*row, _cut(r.source, most)])
    qualities = {r.quality for r in rows} & set(QUALITIES)
    legend = ", ".join(f"{k} {QUALITIES[k]}" for k in QUALITIES if k in qualities)
    notes = [f"  {legend}"] if legend else []
    return "\n".join([*told, in_columns(lines, indent=""), *notes, f"  {CURVES}"])


def in_short(cell: Any) -> str:
    """One line: the set, voltages and capacity; a tree of anything but numbers as one."""
    seen = (cell.area, cell.nominal_capacity, cell.temperature)
    seen += (cell.limits.lower_voltage, cell.limits.upper_voltage)
    if not all(isinstance(a, Tracer) or is_number(a) for a in seen):
        return eqx.tree_pformat(cell)
    of = _recognised(cell)
    changed = (
        f", {len(of.changed)} not as there" if of is not None and of.changed else ""
    )
    return f"<{_title(cell, of)}{changed}; {_summary(cell, None)[0]}>"


def in_html(cell: Any) -> str:
    """HTML for notebooks: the same with small plots of the curves, and sources in full."""
    of = _recognised(cell)
    title, *about = _title(cell, of), *_summary(cell, of)
    told = [f"<p><b>{html.escape(title)}</b><br>", "<br>".join(map(html.escape, about))]
    told += ["</p>", _plots(cell), "<details><summary>All numbers</summary><table>"]
    head = ("", "value", "unit", "quality", "source")
    told += [f"<tr>{''.join(f'<th>{h}</th>' for h in head)}</tr>"]
    group, words = None, {str(k): word for k, word in QUALITIES.items()}
    for r in _rows(cell, of):
        if r.group != group:
            group = r.group
            told.append(f"<tr><th colspan='5'>{html.escape(group)}</th></tr>")
        inner = (r.name, r.value, r.unit, words.get(r.quality, ""), r.source)
        told.append(f"<tr>{''.join(f'<td>{html.escape(c)}</td>' for c in inner)}</tr>")
    return "".join([*told, f"</table><p>{CURVES}.</p></details>"])


def _recognised(cell: Any) -> Recognised | None:
    try:
        return recognised(cell)
    except (KeyError, OSError, ValueError):
        # A set that another package registers is broken, which must not break this cell.
        return None


def _title(cell: Any, of: Recognised | None) -> str:
    stacked = np.shape(cell.area)
    many = f"{' x '.join(map(str, stacked))} cells" if stacked else "Cell"
    if is_half_cell(cell):
        many = f"Half {'cells' if stacked else 'cell'}" + f" ({many})" * bool(stacked)
    if of is None:
        traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(cell))
        return f"{many}, traced" if traced else f"{many} of no set that is known here"
    if of.working:
        return f"{many}, {of.working} electrode of {of.of.name}: {of.of.title}"
    name = f"{of.of.name}: {of.of.title}"
    return f"{many} of {name}" if stacked else name


def _summary(cell: Any, of: Recognised | None) -> list[str]:
    low, high = cell.limits.lower_voltage, cell.limits.upper_voltage
    told = [
        f"between {_numbers(low)} and {_numbers(high)} V, "
        f"{_numbers(cell.nominal_capacity)} A.h nominal, {_celsius(cell.temperature)} degC"
    ]
    if is_half_cell(cell):
        told.append(
            "the positive electrode works against metal; a discharge fills it, and lowers "
            "the voltage"
        )
    if of is not None and of.changed:
        names = {n.dotted: n.name for n in named(cell)}
        changed = [names[path] for path in of.changed]
        most = ", ".join(changed[:4]) + (", ..." if len(changed) > 4 else "")
        told.append(f"{len(changed)} not as in the set: {most}")
    if of is not None and of.of.citation:
        told.append(f"cite: {of.of.citation}")
    return told


def _celsius(T: Any) -> str:
    return _numbers(T if isinstance(T, Tracer) else np.asarray(T) - ZERO_CELSIUS)


def _rows(cell: Any, of: Recognised | None) -> Iterator[Row]:
    order = list(_GROUPS)

    def part(n: Named) -> str:
        return str(n.path[0]) if len(n.path) > 1 and n.path[0] in _GROUPS else ""

    half = is_half_cell(cell)
    for n in sorted(named(cell), key=lambda n: order.index(part(n))):
        group = _GROUPS[part(n)]
        source = of.sources.get(n.dotted) if of is not None else None
        quality, text = ("", "") if source is None else (source.quality, source.source)
        if of is not None and n.dotted in of.changed:
            text = "not as in the set"
        if half and part(n) == "positive":
            group = f"{group} (working)"
        if half and part(n) == "negative":
            if n.path[1] != "kinetics":
                continue
            group, (quality, text) = METAL, source_of(cell.negative.kinetics)
        name = n.name.rsplit(" [", 1)[0]
        yield Row(group, name, _value(n, cell), n.unit, quality, text)


def _value(n: Named, cell: Any) -> str:
    """A number, or the range of a curve, as text."""
    p = n.value
    if not isinstance(p, Property):
        return _numbers(p)
    law = type(p.temperature).__name__
    law = "" if isinstance(p.temperature, Invariant) else f", {law}"
    if isinstance(p.curve, Constant):
        return _numbers(_times(p.scale, p.curve.value)) + law
    _, y = _curve(n, cell)
    return (type(p.curve).__name__ if y is None else _numbers(y)) + law


CURVES = (
    "Curves: lowest to highest at the cell's temperature, of a table's points, else over "
    "stoichiometries from 0.01 to 0.99, or a tenth to twice the salt"
)
"""Note below the table on what stands for a curve."""


def _curve(n: Named, cell: Any) -> tuple[np.ndarray | None, Any]:
    """Compositions and values of a property at the cell's temperature, or none of both."""
    leaves = jax.tree.leaves(
        (n.value, cell.temperature, cell.electrolyte.concentration)
    )
    if any(isinstance(leaf, Tracer) for leaf in leaves) or np.shape(cell.area):
        return None, None
    p = n.value
    try:
        if isinstance(p.curve, Table):
            # Between its points a table is monotone, so they are enough and nothing needs
            # to be compiled.
            x, y = np.asarray(p.curve.x), np.asarray(p.curve.y)
            return x, y * np.asarray(p.scale * p.temperature(cell.temperature))
        x = np.asarray(compositions(n.over, cell))
        with np.errstate(all="ignore"):
            return x, np.asarray(_values(p, jnp.asarray(x), cell.temperature))
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        # Broken expressions and shapes are reported by `check`, not here.
        return None, None


@jax.jit
def _values(p: Property, x: Array, T: Any) -> Any:
    """Values of a property, compiled as one program, which is faster at the first call."""
    return p(x, T)


def _times(a: Any, b: Any) -> Any:
    if isinstance(a, Tracer) or isinstance(b, Tracer):
        return a if isinstance(a, Tracer) else b
    return np.asarray(a) * np.asarray(b)


def _numbers(value: Any) -> str:
    """One number, or the range of many, as text."""
    if isinstance(value, Tracer):
        return "traced"
    flat = np.ravel(np.asarray(value, float))
    known = flat[np.isfinite(flat)]
    if flat.size == 1 or known.size == 0:
        return f"{flat[0]:.5g}" if flat.size else "none"
    low, high = f"{np.min(known):.4g}", f"{np.max(known):.4g}"
    return low if low == high else f"{low} to {high}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _plots(cell: Any) -> str:
    """Plots of potentials, diffusivities, rate constants and conductivity, as one image."""
    drawn = _lines(cell)
    if not any(drawn.values()):
        return ""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    figure = Figure(figsize=(8.4, 1.9), layout="constrained")
    colours = {"negative": "C0", "positive": "C3", "electrolyte": "C2"}
    for axes, (label, lines) in zip(figure.subplots(1, 4), drawn.items(), strict=True):
        for path, x, y in lines:
            side = path.partition(".")[0]
            axes.plot(x, y, color=colours[side], label=side)
        if label[0] in "Dk" and label[:2] != "ka" and _all_positive(lines):
            axes.set_yscale("log")
        axes.set_title(label, fontsize="small")
        salt = label.startswith("kappa")
        axes.set_xlabel("c_e [mol.m-3]" if salt else "x", fontsize="small")
        axes.tick_params(labelsize="x-small")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper left", ncols=2, fontsize="x-small"
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img style="max-width:100%;width:760px" alt="curves of the cell" '
        f'src="data:image/png;base64,{encoded}">'
    )


_PANELS = {
    "U [V]": ("negative.particle.ocp", "positive.particle.ocp"),
    "D [m2.s-1]": ("negative.particle.diffusivity", "positive.particle.diffusivity"),
    "k [m.s-1]": ("negative.particle.rate_constant", "positive.particle.rate_constant"),
    "kappa [S.m-1]": ("electrolyte.conductivity",),
}
"""Labels of the plots, and paths of the curves in each."""


def _lines(cell: Any) -> dict[str, list[tuple[str, Any, Any]]]:
    """Path, abscissae and values of the curves that are known, by the label of their plot."""
    metal = "negative." if is_half_cell(cell) else "-"
    every = {n.dotted: n for n in named(cell) if not n.dotted.startswith(metal)}
    drawn = {
        label: [(path, *_curve(every[path], cell)) for path in paths if path in every]
        for label, paths in _PANELS.items()
    }
    return {
        label: [(path, x, y) for path, x, y in lines if x is not None and y is not None]
        for label, lines in drawn.items()
    }


def _all_positive(lines: list[tuple[str, Any, Any]]) -> bool:
    return all(np.all(np.asarray(y) > 0.0) for _, _, y in lines)
