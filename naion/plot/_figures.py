"""Matplotlib figures of solutions, fits and predictions; each takes and returns axes.

What a solution has is asked for, and labelled, by its name in the registry of variables.
"""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from .._pictures import checked_axes, new_figure
from .._takes import takes
from ..fit import Experiment, Kind, spectra_of
from ..models import Losses
from ..parameters import Cell
from ..simulation import (
    VARIABLES,
    WITH_CELL,
    Solution,
    Variable,
    draw_overview,
    variable,
    voltage_over_time,
)

HOUR = 3600.0


def _known(name: str) -> Variable:
    return variable(name, (*VARIABLES, *WITH_CELL))


TIME, VOLTAGE = _known("Time [h]"), _known("Voltage [V]")


def overview(solutions: Solution | Mapping[str, Solution], axes: Any = None) -> Any:
    """Voltage, current, temperature and plating margin against time, four axes.

    Args:
        solutions: one, or some by what each is called in the legend.
        axes: four; none: new ones.

    Raises:
        TypeError: for anything but solutions.
        ValueError: for none, or for the wrong number of axes.
    """
    every = solutions if isinstance(solutions, Mapping) else {"": solutions}
    if isinstance(solutions, list | tuple) or isinstance(axes, Solution):
        raise TypeError(
            "An overview of several solutions takes them by what each is called: "
            '`overview({"25 degC": a, "-20 degC": b})`.'
        )
    for one in every.values():
        if not isinstance(one, Solution):
            raise TypeError(
                f"An overview is of a Solution, got a {type(one).__name__}; "
                "`naion.simulate` gives one."
            )
    if not every:
        raise ValueError("An overview needs at least one solution.")
    return draw_overview(every, _axes(axes, 4, sharex=True))


@takes
def electrodes(solution: Solution, axes: Any = None) -> Any:
    """Voltage, and potentials of both electrodes against the reference, over time.

    Args:
        solution: whose steps were kept.
        axes: one; none: new ones.
    """
    axes = _axes(axes)
    t = solution[TIME.name]
    fine = np.unique(np.append(t, np.linspace(t[0], t[-1], DRAWN)))
    seen = solution.at(HOUR * fine)
    for label, values, colour in (
        ("positive electrode", seen.positive_potential, "C3"),
        ("voltage", seen.voltage, "0.3"),
        ("negative electrode", seen.negative_potential, "C0"),
    ):
        axes.plot(fine, values, color=colour, label=label)
    axes.set_xlabel(TIME.name)
    axes.set_ylabel(POTENTIALS)
    axes.legend(fontsize="small", ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return axes


DRAWN = 400
"""Points of a line besides the ends of the solver's steps."""

POTENTIALS = "Voltage, potentials vs reference [V]"

LOSSES = {
    "kinetics_negative": "kinetics, negative",
    "kinetics_positive": "kinetics, positive",
    "diffusion_negative": "diffusion in particles, negative",
    "diffusion_positive": "diffusion in particles, positive",
    "hysteresis": "hysteresis",
    "film": "films",
    "concentration": "concentration of the liquid",
    "ohmic_liquid": "ohmic, liquid",
    "ohmic_solid": "ohmic, solid",
    "contact": "contacts",
}


@takes
def losses(solution: Solution, cell: Cell, axes: Any = None) -> Any:
    """Where the voltage goes: from the open-circuit voltage down, or up on charge.

    Args:
        solution: simulated with `keep_states=True`.
        cell: that was simulated.

    Raises:
        ValueError: when the simulation did not keep its states.
    """
    axes = _axes(axes)
    t, parts = _both_sides(solution, jax.tree.map(np.asarray, solution.losses(cell)))
    level = parts.open_circuit
    axes.plot(t, level, "k--", linewidth=1.0, label="open circuit")
    for i, (field, name) in enumerate(LOSSES.items()):
        part = getattr(parts, field)
        if np.any(part):
            axes.fill_between(
                t, level, level + part, color=f"C{i}", linewidth=0.0, label=name
            )
            level = level + part
    axes.plot(*voltage_over_time(solution), "k", linewidth=1.2, label="voltage")
    axes.set_xlabel(TIME.name)
    axes.set_ylabel(VOLTAGE.name)
    axes.legend(fontsize="x-small", **BESIDE)
    return axes


JUMPING = (
    *("kinetics_negative", "kinetics_positive", "film"),
    *("ohmic_liquid", "ohmic_solid", "contact"),
)
"""Losses that follow the current at once; the others are of what is stored."""


def _both_sides(solution: Solution, parts: Losses) -> tuple[np.ndarray, Losses]:
    """Times [h] and losses at the ends of steps, before and after each jump of current.

    States are of the time after a jump. What is stored is the same before; the rest of the
    voltage before it is shared among the losses that jump as they were a step earlier.
    """
    t = np.asarray(solution.t)
    V = [np.asarray(solution.at(t, after=later).voltage) for later in (False, True)]
    at = 1 + np.flatnonzero(np.abs(V[1] - V[0])[1:-1] > JUMP)
    earlier = np.stack([getattr(parts, field)[at - 1] for field in JUMPING])
    stored = sum(
        getattr(parts, field)[at] for field in parts._fields if field not in JUMPING
    )
    size = np.abs(earlier) + 1e-12
    share = size / np.sum(size, axis=0)
    before = earlier + share * (V[0][at] - stored - np.sum(earlier, axis=0))
    both: dict[str, Any] = {
        field: np.insert(
            part,
            at,
            before[JUMPING.index(field)] if field in JUMPING else part[at],
        )
        for field, part in parts._asdict().items()
    }
    return np.insert(t, at, t[at]) / HOUR, Losses(**both)


JUMP = 1e-5
"""Difference of voltages at one time, from which it is a jump [V]."""

BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "frameon": False}
"""A legend to the right of the axes, off the data."""

LINES = (
    "Electrolyte concentration [mol.m-3]",
    "Electrode potential [V]",
    "Electrolyte potential [V]",
)
PARTICLES = "Interfacial current density [A.m-2]", "Surface stoichiometry"


@takes
def fields(
    solution: Solution, cell: Cell, time: float | None = None, axes: Any = None
) -> Any:
    """Salt, potentials, reaction and surface composition through the cell, four axes.

    Args:
        solution: simulated with `keep_states=True`; with `ThroughStack` the layer in the
            middle is shown.
        cell: that was simulated.
        time: since the start [s]; none: the last step. The nearest step is shown.

    Raises:
        ValueError: when the simulation did not keep its states.
    """
    axes = _axes(axes, 4, height=6.4)
    grid, nodes = solution.model.discretise(cell), solution.model.nodes
    t = np.asarray(solution.t)[:-1]
    k = len(t) - 1 if time is None else int(np.argmin(np.abs(t - time)))

    def at_step(v: Variable) -> np.ndarray:
        found = v.function(solution, cell) if v in WITH_CELL else v.function(solution)
        return np.asarray(found[k, nodes // 2] if nodes > 1 else found[k])

    position = _known("Position [um]")
    x = np.asarray(position.function(solution, cell))
    salt, *potentials = map(_known, LINES)
    one, two, *of_particles = np.ravel(axes)
    one.plot(x, at_step(salt))
    one.set_ylabel(salt.name)
    one.set_title(f"{t[k] / HOUR:.3f} h", fontsize="small")
    for v, there in zip(potentials, (grid.has_solid, True), strict=True):
        two.plot(x, np.where(there, at_step(v), np.nan), label=v.quantity)
    two.set_ylabel(f"{', '.join(v.symbol for v in potentials)} [{potentials[0].unit}]")
    # Above the axes: potentials of all regions fill them.
    two.legend(
        fontsize="x-small",
        ncols=2,
        frameon=False,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
    )
    for axis, v in zip(of_particles, map(_known, PARTICLES), strict=True):
        runs = np.split(at_step(v), np.cumsum([count for _, count in grid.runs])[:-1])
        for i, ((first, count), run) in enumerate(zip(grid.runs, runs, strict=True)):
            axis.plot(x[first : first + count], run, color=f"C{i}")
        axis.set_xlabel(position.name)
        axis.set_ylabel(v.name)
    for axis in np.ravel(axes):
        axis.yaxis.label.set_fontsize("small")
        _shade_electrodes(axis, cell)
    return axes


ELECTRODES = {"negative": "C0", "positive": "C3"}
"""Colours of their shades."""


def _shade_electrodes(axis: Any, cell: Cell) -> None:
    """Shade where the electrodes are; the separator between them stays white."""
    parts = cell.negative, cell.separator, cell.positive
    n, s, p = (1e6 * float(part.thickness) for part in parts)
    for (first, last), colour in zip(
        ((0.0, n), (n + s, n + s + p)), ELECTRODES.values(), strict=True
    ):
        axis.axvspan(first, last, color=colour, alpha=0.06, linewidth=0.0)
    axis.set_xlim(0.0, n + s + p)


@takes
def fields_slider(solution: Solution, cell: Cell) -> Any:
    """`fields` with a slider for the time, in a notebook.

    Raises:
        ImportError: without ipywidgets (`pip install naion[notebook]`).
        ValueError: when the simulation did not keep its states.
    """
    try:
        import ipywidgets
    except ImportError:
        raise ImportError(
            "A slider needs ipywidgets: pip install 'naion[notebook]'."
        ) from None
    from matplotlib import pyplot

    states_needed = solution.states  # raises without states, before any widget
    del states_needed
    end = float(solution.t_end)

    def show(time: float) -> None:
        figure, axes = pyplot.subplots(2, 2, figsize=(8.0, 5.0), layout="constrained")
        fields(solution, cell, HOUR * time, axes)
        pyplot.show(figure)

    slider = ipywidgets.FloatSlider(
        value=0.0,
        min=0.0,
        max=end / HOUR,
        step=end / HOUR / 200,
        description=TIME.name,
    )
    return ipywidgets.interactive(show, time=slider)


def impedance(frequency: Any, Z: Any, axes: Any = None, **style: Any) -> Any:
    """A Nyquist plot, in milliohm, with marks at whole decades of frequency.

    Args:
        frequency: [Hz].
        Z: from `naion.impedance` [ohm].
    """
    axes = _axes(axes)
    f, Z = np.ravel(frequency), 1e3 * np.ravel(Z)
    (line,) = axes.plot(Z.real, -Z.imag, **style)
    decades = 10.0 ** np.arange(np.ceil(np.log10(f.min())), np.log10(f.max()) + 1e-9)
    for decade in decades:
        i = int(np.argmin(np.abs(np.log(f / decade))))
        axes.plot(Z[i].real, -Z[i].imag, "o", color=line.get_color(), markersize=3)
        axes.annotate(
            f"{decade:g} Hz", (Z[i].real, -Z[i].imag), fontsize="xx-small", rotation=30
        )
    axes.set_xlabel("Re Z [mohm]")
    axes.set_ylabel("-Im Z [mohm]")
    axes.set_aspect("equal", adjustable="datalim")
    return axes


STYLES = {Kind.NEGATIVE_POTENTIAL: ":", Kind.POSITIVE_POTENTIAL: "-."}
"""Lines of potentials against a reference electrode."""


@takes
def fit(
    experiment: Experiment, predicted: np.ndarray, axes: Any = None, colour: str = "C0"
) -> Any:
    """Measured voltages and the fitted model's, against the experiment's abscissa.

    Of an impedance spectrum a Nyquist plot with equal axes. Potentials of the electrodes of
    a three-electrode cell are among the voltages.

    Args:
        experiment: what was measured.
        predicted: by the model, as in `Fit.predictions`.
        axes: one, which gets all; none: new ones, for charge and time each their own,
            with model minus data below, of spectra in per cent of |Z|.
        colour: of points and lines.

    Returns:
        the axes, the first of several; `.figure` has the others.
    """
    if experiment.is_spectrum:
        return _fit_of_spectrum(experiment, predicted, axes, colour)
    i, shown = 0, []
    for observed in experiment.observations:
        n = len(observed.value)
        model, i = np.asarray(predicted[i : i + n]), i + n
        if observed.kind not in (Kind.RESISTANCE, Kind.TEMPERATURE):
            shown.append((observed, model))
    apart = any(observed.kind in STYLES for observed, _ in shown)
    label = POTENTIALS if apart else VOLTAGE.name
    abscissae = list(dict.fromkeys(observed.axis for observed, _ in shown))
    if axes is not None:
        upper, lower = dict.fromkeys(abscissae, _axes(axes)), {}
        axes.set_xlabel(" or ".join(abscissae))
    else:
        upper, lower = _with_residuals(abscissae)
    for observed, model in shown:
        axis, x = upper[observed.axis], observed.x
        style = "--" if observed.label in ("rested", "charge") else "-"
        style = STYLES.get(observed.kind, style)
        axis.plot(x, observed.value, ".", color=colour, markersize=4)
        name = f"{experiment.name} {observed.label}"
        axis.plot(x, model, style, color=colour, linewidth=1.2, label=name)
        axis.set_ylabel(label)
        if lower:
            off = 1e3 * (model - np.asarray(observed.value))
            lower[observed.axis].plot(x, off, style, color=colour, linewidth=1.0)
    return next(iter(upper.values())) if upper else _axes(axes)


def _fit_of_spectrum(
    experiment: Experiment, predicted: np.ndarray, axes: Any, colour: str
) -> Any:
    """Measured and fitted spectrum, and below, where there is room, what is off."""
    f, Z, shown = spectra_of(experiment, predicted)
    if axes is None:
        axes, lower = new_figure(6.0, 5.4).subplots(2, 1, height_ratios=(3.0, 1.0))
        lower.axhline(0.0, color="0.7", linewidth=0.8)
        off = 100.0 * (shown - Z) / np.abs(Z)
        lower.semilogx(f, off.real, "-", color=colour, linewidth=1.0, label="Re Z")
        lower.semilogx(f, off.imag, "--", color=colour, linewidth=1.0, label="Im Z")
        lower.set_xlabel(experiment.observations[0].axis)
        lower.set_ylabel("Off [% of |Z|]")
        lower.legend(fontsize="x-small", **BESIDE)
    axes = _axes(axes)
    # Open, as the model's decades are dots.
    axes.plot(1e3 * Z.real, -1e3 * Z.imag, "o", color=colour, mfc="none", markersize=5)
    style = {"color": colour, "linewidth": 1.2, "label": f"{experiment.name} impedance"}
    return impedance(f, shown, axes, **style)


def _with_residuals(abscissae: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Axes for values, and below them for what the model is off, by abscissa."""
    if not abscissae:
        return {}, {}
    n = len(abscissae)
    figure = new_figure(6.0 if n == 1 else 4.5 * n, 4.4)
    grid = figure.subplots(2, n, sharex="col", squeeze=False, height_ratios=(3.0, 1.0))
    for axis, name in zip(grid[1], abscissae, strict=True):
        axis.axhline(0.0, color="0.7", linewidth=0.8)
        axis.set_xlabel(name)
        axis.set_ylabel("Off [mV]")
    return tuple(dict(zip(abscissae, row, strict=True)) for row in grid)  # pyright: ignore[reportReturnType]


def band(
    x: np.ndarray,
    middle: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    axes: Any = None,
    **style: Any,
) -> Any:
    """A line with its 90 % band."""
    axes = _axes(axes)
    (line,) = axes.plot(x, middle, **style)
    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0.0)
    return axes


def _axes(axes: Any, count: int = 1, height: float = 5.0, **shared: Any) -> Any:
    """The axes given, or new ones: one, or four in a square.

    Raises:
        TypeError: for anything but axes.
        ValueError: for the wrong number of axes.
    """
    if axes is None and count == 1:
        return new_figure(6.0, 3.6).add_subplot()
    if axes is None:
        return new_figure(8.0, height).subplots(2, 2, **shared)
    return checked_axes(axes, count)
