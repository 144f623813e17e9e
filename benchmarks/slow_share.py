"""The TU Berlin cell with a slow share of hard carbon, its check-ups as they were run.

Each begins empty: a charge, a hold of an hour, a rest, and the segments. So no check-up has
a start of its own, and how full the cell was is predicted, too.
"""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp

from benchmarks.baselines import by_temperature
from benchmarks.left_out import Row, rows_of, spreads
from benchmarks.study import Conditions, Frees, Study
from naion.demo import _tuberlin
from naion.fit import Experiment, Fit, FreeParameter, Problem, Specimen
from naion.parameters import Cell, with_sizes
from naion.protocol import Mode, Protocol, Step

CHARGE, LIMIT, HELD, RESTED = 0.75, 4.1, 3600.0, 1800.0
"""Before the segments: a charge [A] (assumed, as is how long the rest took) to a voltage
[V], and how long that was held, as the data's authors say of the colder check-ups [s]."""

EMPTY = 1.35, 1.4, 1.4
"""Missing where each charge begins [A.h]: about what the discharge before it gave."""

SHARE, SLOWER, ENERGY = 0.3, 0.03, 60e3
"""Of the slow carbon as it is believed to be before any fit: its share, its diffusivity over
that of the rest at 25 degC, and its activation energy [J/mol]. Assumed; diffusivities of
sodium in hard carbon fall by one to two orders where its pores fill, and 16 to 65 kJ/mol are
reported."""

_OTHER = "cell.negative.others.0"

SLOW = (
    FreeParameter((f"{_OTHER}.active_fraction",), (0.005, 0.6), "log", 0.5),
    FreeParameter((f"{_OTHER}.particle.diffusivity.scale",), (1e-4, 1.7), "log", 1.5),
    FreeParameter(
        (f"{_OTHER}.particle.diffusivity.temperature.energy",),
        (10e3, 120e3),
        "linear",
        15e3,
    ),
)
"""What is free of it; all else it has in common with the rest."""


def slow_share_study(hakadi: Callable[[], Cell]) -> Study:
    """Three temperatures, from the fitted Hakadi cell.

    Args:
        hakadi: gives that.
    """

    def problem(chosen: Conditions) -> Problem:
        T = tuple(map(int, chosen))
        return _as_run(_tuberlin.tuberlin_problem(hakadi(), temperatures=T))

    name = "slow share"
    about = (
        f"A charge at {CHARGE:g} A (assumed) and the hold are simulated; how full a "
        "check-up left out was is predicted, while the baseline is told."
    )
    conditions = tuple(map(str, _tuberlin.TEMPERATURES))
    return Study(conditions, {name: problem}, name, _predicted, about=about)


def _as_run(problem: Problem) -> Problem:
    """The problem with a slow share, from an empty cell; pulses are at rest before."""
    cell = with_sizes(
        problem.specimen.cell, "negative", (1.0, 1.0), (1.0 - SHARE, SHARE)
    )
    D = cell.negative.particle.diffusivity
    cell = eqx.tree_at(
        lambda c: (
            c.negative.others[0].particle.diffusivity.scale,
            c.negative.others[0].particle.diffusivity.temperature.energy,
        ),
        cell,
        (SLOWER * D.scale, jnp.asarray(ENERGY)),
    )
    tests = tuple(map(_charged, problem.experiments))
    specimen = Specimen(cell, [*EMPTY, 0.0])
    return replace(
        problem, specimen=specimen, free=_tied(problem.free), experiments=tests
    )


def _tied(free: Frees) -> Frees:
    """All numbers of the carbon but its diffusivity are those of its slow share, too."""
    first, own = "cell.negative.particle.", "diffusivity"
    both = (
        replace(f, paths=(*f.paths, f"{_OTHER}.particle.{f.paths[0][len(first) :]}"))
        if f.paths[0].startswith(first) and own not in f.paths[0]
        else f
        for f in free
        if f.paths != ("missing",)
    )
    return (*both, *SLOW)


def _charged(e: Experiment) -> Experiment:
    """A check-up from its charge on; a pulse of a group that nothing is missing of."""
    if len(e.observations) == 1:
        return replace(e, group=len(EMPTY))
    before = [
        Step(Mode.CURRENT, -CHARGE, duration=4.0 * 3600.0, upper_voltage=LIMIT),
        Step(Mode.VOLTAGE, LIMIT, duration=HELD),
        Step(Mode.CURRENT, 0.0, duration=RESTED),
    ]
    p = e.protocol
    current, lasts = float(p.value[0]), float(p.duration[0])
    lowest, rest = float(p.lower_voltage[0]), float(p.duration[1])
    pair = [
        Step(Mode.CURRENT, current, duration=lasts, lower_voltage=lowest),
        Step(Mode.CURRENT, 0.0, duration=rest),
    ]
    whole = Protocol([*before, *pair * (p.n_steps // 2)])
    return replace(e, protocol=whole, since=len(before))


def _predicted(
    whole: Problem, fit: Fit, condition: str, everything: Fit | None
) -> list[Row]:
    predicted, sd = whole.predictions(fit.z), spreads(whole, fit.z, fit, {})
    base = by_temperature(whole, int(condition)) if everything is not None else {}
    rows = []
    for k, e in enumerate(whole.experiments):
        if not e.name.startswith(f"{condition} degC"):
            continue
        own = None if everything is None else everything.predictions[k]
        rows += rows_of(e, predicted[k], sd[k], own, base)
    return rows
