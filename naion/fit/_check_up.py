"""Degradation modes: what a cell has lost since it was fresh, from check-up tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._columns import in_columns
from .._progress import Progress, silent
from ..models import DFN
from ..parameters import (
    Cell,
    electrode_capacities,
    leaf,
    stoichiometries_at_limits,
    stoichiometry_at_soc,
)
from ._constant_current import pulse
from ._experiment import Experiment, Kind
from ._fit import Fit
from ._free import FreeParameter, Specimen
from ._least_squares import FINER, fleet
from ._problem import Problem
from ._sense import doubts
from ._vector import FreeVector

if TYPE_CHECKING:
    import pandas as pd

PULSE = 10.0
"""Time after the start of a 1C discharge pulse at which resistances are compared, with
half of the nominal capacity discharged [s]."""

KINETICS = 0.7
"""Prior of rate constants around those of the fresh cell: standard deviation of the natural
logarithm, a factor of two (assumed)."""

MOST = 100.0
"""Half-width at most of an interval of a logarithm, so that its exponential stays finite;
an interval this wide says nothing anyway."""

SIDES = ("negative", "positive")


@dataclass(frozen=True)
class Change:
    """One loss or growth, in per cent of the fresh cell's value.

    Attributes:
        what: what was lost or has grown.
        percent: best value; losses and growths are positive [%].
        low, high: ends of the interval [%].
    """

    what: str
    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class CheckUps:
    """Losses and growths found by check-ups; see `check_up`.

    Printed, it also names the fits that are doubtful; see `doubts`.

    Attributes:
        fits: fit of each check-up, by name.
        changes: losses and growths at each check-up, by name.
        failed: errors of the check-ups whose fits failed, by name.
        level: probability that an interval holds the value.
    """

    fits: Mapping[str, Fit]
    changes: Mapping[str, tuple[Change, ...]]
    failed: Mapping[str, Exception]
    level: float

    def __str__(self) -> str:
        lines = [
            f"% of the fresh cell, with {100.0 * self.level:g} % intervals",
        ]
        for name, fit in self.fits.items():
            lines.append(f"{name}: {fit.ended.in_words} at a cost of {fit.cost:.4g}")
            lines.append(in_columns([_row(c) for c in self.changes[name]]))
            lines += [f"  no sense: {doubt}" for doubt in doubts(fit)]
            if fit.at_bound:
                at = ", ".join(fit.at_bound)
                lines.append(f"  at a bound, not determined: {at}")
        lines += [f"{name}: {error}" for name, error in self.failed.items()]
        return "\n".join(lines)

    def to_frame(self) -> "pd.DataFrame":
        """One row for each check-up and change: the value and the ends of its interval."""
        import pandas as pd

        rows = [
            {
                "check-up": name,
                "change": c.what,
                "value [%]": c.percent,
                "low [%]": c.low,
                "high [%]": c.high,
            }
            for name, changes in self.changes.items()
            for c in changes
        ]
        return pd.DataFrame(
            rows, columns=["check-up", "change", "value [%]", "low [%]", "high [%]"]
        )


FAR = 1e3
"""A change whose interval reaches further than this counts as not determined [%]."""


def _row(c: Change) -> list[str]:
    """Row of a table; without the best value where its interval is too wide."""
    if not max(abs(c.low), abs(c.high)) < FAR:
        return [c.what, "not determined", ""]
    return [c.what, f"{c.percent:.1f}", f"{c.low:.1f} to {c.high:.1f}"]


def check_up(
    fresh: Cell,
    tests: Mapping[str, Sequence[Experiment]],
    *,
    model: DFN | None = None,
    rtol: float = FINER,
    level: float = 0.9,
    also: Sequence[FreeParameter] = (),
    max_evaluations: int = 30,
    progress: Progress = silent,
) -> CheckUps:
    """Loss of sodium inventory and active material, and growth of resistance.

    Each check-up is a fit of its own. Its free parameters are the sodium in the cell, the
    volume fraction of every active material and the contact resistance; where pulses were
    measured, also the rate constants of both electrodes, with the prior `KINETICS`.
    Everything else, the open-circuit potentials above all, is taken from the fresh cell.
    The fresh cell is taken as exact: give its own check-up as the first, and the losses
    found there show how wrong that is.

    The sodium inventory is the sodium in particles that work, x_n Q_n + x_p Q_p; sodium in
    lost particles counts as lost. The capacity at rest is that between the voltage limits
    without current. The resistance is that of a 1C pulse, see `PULSE`: pulses determine it
    well, also where they do not tell its parts apart.

    Args:
        fresh: the fitted cell when it was new.
        tests: experiments of each check-up, by name: slow discharges from SOC 1 (or other
            voltage curves) and pulses; see `discharge`, `measured_profile`, `pulse` and
            `measured_pulses`. The charge at which a test starts (`discharged`) counts from
            the charged state of the aged cell.
        model: mesh and heat balance; none: the cell's own.
        rtol: tolerance of the simulations; finding losses of one per cent needs a cost
            that is smooth in the parameters.
        level: probability that an interval holds the value.
        also: further free parameters, such as FreeParameter(("missing",), ...): the charge
            by which a test starts less than full.
        max_evaluations: see `least_squares`.
        progress: called with a line of text after every batch.

    Returns:
        losses and growths. A check-up that fails does not stop the others.

    Raises:
        TypeError: for what is not a cell, or not an experiment.
        ValueError: for no check-up, a check-up without voltages or with fewer measured
            than free numbers, a level outside of 0 to 1, or a fresh cell without contact
            resistance.

    Reference: Birkl et al., J. Power Sources 341 (2017) 373, for the degradation modes.
    """
    every = _checked(fresh, tests, level)
    paths = _materials(fresh)
    pulsed = any(_has(e, Kind.RESISTANCE) for of in every.values() for e in of)
    rates = [path for path in _rates() if pulsed]
    free = (*_usual(fresh, paths, rates), *also)
    used = DFN() if model is None else model
    halfway = _with_published_halfway(fresh)
    problems = {}
    for name, experiments in every.items():
        groups = 1 + max(e.group for e in experiments)
        specimen = Specimen(halfway, np.zeros(groups))
        problems[name] = Problem(specimen, free, experiments, used, rtol)
        measured = sum(e.n_observations for e in experiments)
        if measured < len(problems[name].vector):
            raise ValueError(
                f"{name}: {measured} measured numbers for {len(problems[name].vector)} "
                "free ones; expected more. Give the whole slow curve."
            )
    found = fleet(problems, max_evaluations=max_evaluations, progress=progress)
    fits = {name: f for name, f in found.items() if isinstance(f, Fit)}
    failed = {name: f for name, f in found.items() if not isinstance(f, Fit)}
    changes = {
        name: _changes(fit, tuple(paths), tuple(rates), level)
        for name, fit in fits.items()
    }
    return CheckUps(fits, changes, failed, level)


def _checked(fresh: Any, tests: Any, level: float) -> dict[str, tuple[Experiment, ...]]:
    """The experiments of each check-up, checked; errors as in `check_up`."""
    if not isinstance(fresh, Cell):
        raise TypeError(
            f"fresh is a {type(fresh).__name__}; expected a Cell, such as "
            "`fit.specimen.cell`."
        )
    if not 0.0 < level < 1.0:
        raise ValueError(f"level = {level:g}; expected a share, such as 0.9.")
    if not isinstance(tests, Mapping):
        raise TypeError(
            f"tests is a {type(tests).__name__}; expected experiments by the name of "
            'their check-up: {"after 500 cycles": [curve, pulse]}.'
        )
    if not tests:
        raise ValueError("There is no check-up; expected one or more.")
    every = {}
    for name, given in tests.items():
        own = (given,) if isinstance(given, Experiment) else tuple(given)
        for e in own:
            if not isinstance(e, Experiment):
                raise TypeError(
                    f"{name}: a {type(e).__name__}; expected experiments, such as "
                    "`naion.fit.discharge` makes."
                )
        if not any(_has(e, Kind.VOLTAGE) for e in own):
            raise ValueError(
                f"{name}: no voltages. Losses show in a slow curve; give a discharge "
                "beside the pulses."
            )
        every[name] = own
    T = fresh.temperature
    if not float(fresh.contact_resistance(T, T)) > 0.0:
        raise ValueError(
            "The fresh cell has no contact resistance, and no growth in per cent of "
            "it. Give it one: `cell.with_(contact_resistance=1e-3)` [ohm]."
        )
    return every


def _has(e: Experiment, kind: Kind) -> bool:
    return any(o.kind == kind and len(o.value) > 0 for o in e.observations)


def _materials(cell: Cell) -> dict[str, str]:
    """Names of all active materials, by the path of their volume fraction."""
    found = {}
    for side in SIDES:
        name = f"{side} active material"
        found[f"{side}.active_fraction"] = name
        for k in range(len(getattr(cell, side).others)):
            found[f"{side}.others.{k}.active_fraction"] = f"{name} {k + 2}"
    return found


def _rates() -> dict[str, str]:
    """Names of the charge-transfer resistances, by the path of the rate constant.

    Of an electrode of several materials only the first; the others keep their constants.
    """
    return {
        f"{side}.particle.rate_constant.scale": f"{side} charge-transfer resistance"
        for side in SIDES
    }


def _usual(
    cell: Cell, paths: Mapping[str, str], rates: Sequence[str]
) -> list[FreeParameter]:
    """Free parameters of every check-up."""

    def scaled(path: str, low: float, high: float, **more: Any) -> FreeParameter:
        now = float(leaf(cell, path))
        return FreeParameter((f"cell.{path}",), (low * now, high * now), "log", **more)

    return [
        FreeParameter(("cell.published.negative",), (0.005, 0.995)),
        *(scaled(path, 0.2, 1.1) for path in paths),
        scaled("contact_resistance.scale", 0.1, 30.0),
        *(scaled(path, 0.02, 10.0, prior=KINETICS) for path in rates),
    ]


def _with_published_halfway(cell: Cell) -> Cell:
    """The cell with its published state at half charge, where sodium can rise and fall."""
    return eqx.tree_at(lambda c: c.published, cell, stoichiometry_at_soc(cell, 0.5))


def _changes(
    fit: Fit, paths: tuple[str, ...], rates: tuple[str, ...], level: float
) -> tuple[Change, ...]:
    """All changes at a check-up, with intervals by linearisation at the best parameters."""
    from scipy import stats

    specimen, vector = fit.problem.specimen, fit.problem.vector
    began = fit.problem.start
    first, _ = _amounts(vector, paths, rates, specimen, began)
    last, slopes = _amounts(vector, paths, rates, specimen, fit.z)
    R_first, _ = _resistance(fit.problem, began)
    R_last, slope = _resistance(fit.problem, fit.z)
    share = np.append(last / first, R_last / R_first)
    slopes = np.vstack([slopes / np.asarray(last)[:, None], slope / R_last])
    sd = np.sqrt(np.einsum("ij,jk,ik->i", slopes, fit.covariance, slopes))
    # Intervals are of logarithms, so that remaining amounts and resistances stay positive.
    reach = np.exp(np.minimum(float(stats.norm.ppf(0.5 + 0.5 * level)) * sd, MOST))
    cell, lost = specimen.cell, 2 + len(paths)
    names = [
        "loss of capacity at rest",
        "loss of sodium inventory",
        *(f"loss of {name}" for name in _materials(cell).values()),
        "growth of contact resistance",
        *(f"growth of {name}" for name in list(_rates().values())[: len(rates)]),
        f"growth of resistance after {PULSE:g} s",
    ]
    sign = np.where(np.arange(len(names)) < lost, -1.0, 1.0)
    values, *ends = (
        100.0 * sign * (x - 1.0) for x in (share, share / reach, share * reach)
    )
    return tuple(
        Change(name, float(v), float(low), float(high))
        for name, v, low, high in zip(names, values, *np.sort(ends, 0), strict=True)
    )


@eqx.filter_jit
def _amounts(
    vector: FreeVector,
    paths: tuple[str, ...],
    rates: tuple[str, ...],
    specimen: Specimen,
    z: Any,
) -> tuple[Array, Array]:
    """Capacity and sodium [A.h], amounts of materials and resistances, and their slopes.

    Returns:
        amounts, (k,), and their derivatives by `z`, (k, n).
    """

    def of(z: Array) -> Array:
        cell = vector.set(specimen, z).cell
        empty, full = stoichiometries_at_limits(cell)
        Q_n, Q_p = electrode_capacities(cell)
        x = cell.published
        numbers = [
            Q_n * (full.negative - empty.negative),
            Q_n * x.negative + Q_p * x.positive,
            *(leaf(cell, path) for path in paths),
            cell.contact_resistance.scale,
            *(1.0 / leaf(cell, path) for path in rates),
        ]
        return jnp.stack([jnp.asarray(a) for a in numbers])

    z = jnp.asarray(z)
    return of(z), jax.jacobian(of)(z)


def _resistance(problem: Problem, z: np.ndarray) -> tuple[float, np.ndarray]:
    """Simulated resistance of the pulse of `PULSE` [ohm], and its derivatives by z, (n,)."""
    cell = problem.specimen.cell
    C = float(cell.nominal_capacity)
    asked = pulse(
        "resistance",
        C,
        PULSE,
        1.0,
        float(cell.temperature),
        0.5 * C,
        relative_sigma=1.0,
    )
    alone = Problem(
        problem.specimen, problem.free, (asked,), problem.model, problem.rtol
    )
    near = alone.linearised(z)
    return float(near.predictions[0][0]), near.jacobian[0]
