"""HiNa's pulses as a study: states of charge, each left out with all of its pulses."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp

from benchmarks.baselines import by_state
from benchmarks.left_out import Row, split, spreads
from benchmarks.study import Conditions, Frees, Study
from naion.demo import _hina
from naion.demo._not_fitted import BETWEEN
from naion.fit import Experiment, Fit, FreeParameter, Kind, Problem
from naion.parameters import Cell
from naion.properties import Property, Table

EVERY_STATE = (100, 90, 80, 60, 50, 30, 20)
"""With pulses, but empty: there a pulse goes below 0 V [%]."""

EVERY_CURRENT = (2.5, 10.0, 20.0, 30.0)
"""Of the pulses at all states [A]."""

SHIPPED = "curves of k_0"
"""The rung of `make demo`."""

FREEST = "a film on the oxide"
"""The rung with most freedom."""

SITES = "its window within its sites"
"""As free, but for other beliefs of the oxide's exchange current."""

AGAIN = ({"positive.particle.diffusivity.scale": 0.2},)
"""Where searches begin that stalled from the set's own numbers: with slower diffusion."""

DIFFUSIVITY = FreeParameter(
    ("cell.positive.particle.diffusivity.curve.y",), (1e-17, 1e-10), "log", 0.4, 0.4
)
"""Of the oxide, a curve of the composition, believed as those of the rate constants."""

FILM = FreeParameter(
    ("cell.positive.particle.film_resistance.curve.y",), (1e-5, 1.0), "log", 1.0, 0.4
)
"""Of the oxide's surface, a curve of the composition: a resistance that does not fall with
the current."""

NEARLY_NONE = 3e-3
"""Resistance of the surface that a fit begins with; 0.2 mohm over 16 m2 [ohm.m2]."""


def with_diffusivity(cell: Cell) -> Cell:
    """A cell whose oxide has a diffusivity for every composition, equal to begin with."""

    def at(c: Cell):
        return c.positive.particle.diffusivity.curve

    curve = _hina.level(*_hina.WINDOWS["positive"], float(at(cell).value))
    return eqx.tree_at(at, cell, curve)


def with_film(cell: Cell) -> Cell:
    """A cell with a resistance at the oxide's surface."""
    curve = Property(_hina.level(*_hina.WINDOWS["positive"], NEARLY_NONE))
    return eqx.tree_at(lambda c: c.positive.particle.film_resistance, cell, curve)


def with_sites(cell: Cell) -> Cell:
    """A cell whose exchange current at the oxide does not vanish where its window ends.

    Compositions of the set are from 0 to 1 within the voltage window, 120 of about
    240 mA.h/g of sites: assumed to be from 0.4 to 0.9 of them. The rate constants that a
    fit begins with make up for sqrt(x (1 - x)).
    """
    x = jnp.asarray([0.001, 0.004, 0.015, 0.05, 0.28, 0.51, 0.74, 0.97])
    filled = 0.4 + 0.5 * x
    share = jnp.sqrt(filled * (1.0 - filled) / (x * (1.0 - x)))
    curve = Table(x, _hina.GUESSED["positive"] * share, "logarithmic", "clamp")
    return eqx.tree_at(_hina.rate_constant("positive"), cell, curve)


def hina_study(
    states: tuple[int, ...] = _hina.STATES,
    currents: tuple[float, ...] = _hina.PULSES,
    elsewhere: tuple[int, ...] = BETWEEN,
    shipped: str = SHIPPED,
) -> Study:
    """Some states of charge.

    Args:
        states: whose pulses are fitted, and left out in turn [%].
        currents: of these pulses [A].
        elsewhere: states whose pulses are in no fit [%].
        shipped: rung that predicts.
    """

    def rung(free: Frees, cell: Cell | None = None) -> Callable[[Conditions], Problem]:
        start = _hina.start_cell() if cell is None else cell

        def problem(chosen: Conditions) -> Problem:
            own = tuple(int(c) for c in chosen)
            return _hina.hina_problem(
                states=own, currents=currents, cell=start, free=free
            )

        return problem

    diffusive = with_diffusivity(_hina.start_cell())
    film, every = with_film(diffusive), (*_hina.FREE, DIFFUSIVITY, FILM)
    return Study(
        tuple(map(str, states)),
        {
            SHIPPED: rung(_hina.FREE),
            "a curve of D_s in the oxide": rung((*_hina.FREE, DIFFUSIVITY), diffusive),
            FREEST: rung(every, film),
            SITES: rung(every, with_sites(film)),
        },
        shipped,
        _predicted,
        lambda fit: _elsewhere(fit, _hina.pulses(elsewhere, currents)),
        judged_by="resistances",
        about=f"The fit: {shipped}. Pulses of {_and(currents)} A, resistances after 0.1, 1 "
        "and 5 s, with C/50 and the 2C charge in every fit, of two other cells of the "
        "type. How full the cell was at the first pulse follows from its voltage then.",
        again=AGAIN,
        is_of=_is_of,
    )


def _and(currents: tuple[float, ...]) -> str:
    return " and ".join(f"{x:g}" for x in currents)


def _predicted(
    whole: Problem, fit: Fit, state: str, everything: Fit | None
) -> list[Row]:
    """Of a state of charge left out; the cell's other pulses say how large it is."""
    predicted = whole.predictions(fit.z)
    sd = spreads(whole, fit.z, fit, {}, seen=_groups(fit))
    is_left = [_is_of(e, state) for e in whole.experiments]
    others = [
        e
        for e, left in zip(whole.experiments, is_left, strict=True)
        if not left and _is_pulse(e)
    ]
    rows = []
    for k, e in enumerate(whole.experiments):
        if is_left[k]:
            own = None if everything is None else everything.predictions[k]
            rows += _rows(e, predicted[k], sd[k], own, others)
    return rows


def _elsewhere(fit: Fit, tests: tuple[Experiment, ...]) -> list[Row]:
    """Of pulses in no fit."""
    if not tests:
        return []
    others = [e for e in fit.problem.experiments if _is_pulse(e)]
    there = replace(fit.problem, experiments=tests)
    sd = spreads(there, fit.z, fit, {}, seen=_groups(fit))
    found = zip(tests, there.predictions(fit.z), sd, strict=True)
    return [
        row for e, now, spread in found for row in _rows(e, now, spread, None, others)
    ]


def _rows(e: Experiment, now, spread, fitted, others: list[Experiment]) -> list[Row]:
    """Of the kinds of numbers of a pulse."""
    now, spread = split(e, now), split(e, spread)
    fitted = {} if fitted is None else split(e, fitted)
    rows = []
    for o in e.observations:
        row = Row(e.name, o.label, o.value, now[o.label], spread[o.label])
        row.fitted = fitted.get(o.label)
        row.baseline = by_state(e, others, o.label)
        rows.append(row)
    return rows


def _is_of(e: Experiment, state: str) -> bool:
    return e.name.startswith(f"{state} %")


def _groups(fit: Fit) -> set[int]:
    return {e.group for e in fit.problem.experiments}


def _is_pulse(e: Experiment) -> bool:
    return any(o.kind == Kind.RESISTANCE for o in e.observations)
