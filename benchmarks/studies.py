"""The fitted cells as studies; see `study`."""

import functools
from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from benchmarks.baselines import by_rate, by_temperature, least
from benchmarks.hina import EVERY_CURRENT, EVERY_STATE, FREEST, SITES, hina_study
from benchmarks.left_out import Row, rmse, rows_of, split, spreads
from benchmarks.slow_share import slow_share_study
from benchmarks.study import Conditions, Frees, Study, fitted, scales, stiffer, without
from naion.demo import _hakadi, _nvpf, _tuberlin
from naion.demo import _layered_oxide as _oxide
from naion.fit import Fit, Problem, Specimen
from naion.models import DFN
from naion.parameters import Cell, leaf


def _nvpf_study() -> Study:
    """Three rates."""
    every = (*_nvpf.FREE, *_nvpf.AXIS)
    flat = scales(_nvpf.FREE, "rate_constant", "diffusivity")

    def rung(free: Frees, curves: bool = True) -> Callable[[Conditions], Problem]:
        cell = _nvpf.start_cell(curves)
        return lambda rates: _nvpf.nvpf_problem(rates, cell=cell, free=free)

    return Study(
        _nvpf.RATES,
        {
            "balance, rates, transport": rung(without(flat, "correction"), False),
            "potentials within a third": rung(stiffer(flat, 3.0), False),
            "potentials": rung(flat, False),
            "curves of k_0 and D_s": rung(_nvpf.FREE),
            "errors of the charge axis": rung(every),
        },
        "errors of the charge axis",
        _nvpf_predicted,
    )


def _nvpf_predicted(
    whole: Problem, fit: Fit, rate: str, everything: Fit | None
) -> list[Row]:
    i = _nvpf.RATES.index(rate)
    e = whole.experiments[i]
    others = [x for k, x in enumerate(whole.experiments) if k != i]
    # The axis of a figure that was not seen is taken as right.
    row = Row(
        e.name,
        "discharge",
        e.observations[0].value,
        whole.predictions(fit.z)[i],
        spreads(whole, fit.z, fit, {})[i],
    )
    if everything is not None:
        row.fitted = everything.predictions[i]
        row.baseline = by_rate(e, others, "voltage", np.log)
    return [row]


def _hakadi_study() -> Study:
    """Four rates; both repeats of a rate are left out together."""
    every = (*_oxide.FREE, *_hakadi.HEAT, *_hakadi.SENSOR)
    # How full the cell was is not a matter of the sensor.
    cold = (*_oxide.FREE, _hakadi.SENSOR[0])
    flat = scales(cold, "rate_constant")
    still = DFN(_hakadi.MODEL.mesh)

    def rung(
        free: Frees, rates: bool = True, model: DFN = _hakadi.MODEL, branches=False
    ) -> Callable[[Conditions], Problem]:
        cell = _oxide.start_cell(rates)
        cell = _oxide.with_branches(cell) if branches else cell

        def problem(chosen: Conditions) -> Problem:
            files = tuple(f for f in _hakadi.FILES if f.split("_")[0] in chosen)
            return _hakadi.hakadi_problem(files, cell=cell, free=free, model=model)

        return problem

    return Study(
        tuple(dict.fromkeys(f.split("_")[0] for f in _hakadi.FILES)),
        {
            "balance, rates, transport": rung(
                without(flat, "correction"), False, still
            ),
            "potentials within a third": rung(stiffer(flat, 3.0), False, still),
            "potentials": rung(flat, False, still),
            "curves of k_0": rung(cold, model=still),
            "heat": rung((*cold, *_hakadi.HEAT)),
            "errors of the sensor": rung(every),
            "hysteresis": rung((*every, *_oxide.HYSTERESIS), branches=True),
        },
        "errors of the sensor",
        _hakadi_predicted,
    )


def _hakadi_predicted(
    whole: Problem, fit: Fit, rate: str, everything: Fit | None
) -> list[Row]:
    at = _on_mean_sensor(whole, fit)
    predicted, sd = at.predictions(at.start), spreads(at, at.start, fit, {})
    seen = [f.startswith(rate) for f in _hakadi.FILES]
    pairs = list(zip(whole.experiments, seen, strict=True))
    others, rows = [e for e, left in pairs if not left], []
    for i, (e, left) in enumerate(pairs):
        if not left:
            continue
        now, spread = split(e, predicted[i]), split(e, sd[i])
        own = split(e, everything.predictions[i]) if everything else {}
        for o in e.observations:
            row = Row(e.name, o.label, o.value, now[o.label], spread[o.label])
            row.fitted = own.get(o.label)
            if everything is not None and o.label == "discharge":
                row.baseline = by_rate(e, others, o.label, float)
            rows.append(row)
    return rows


def _on_mean_sensor(whole: Problem, fit: Fit) -> Problem:
    """Every test on a fitted specimen; one instrument measured all: its mean errors."""
    names = ("missing", "gain", "gain_on_charge", "offset")
    groups = sorted({e.group for e in fit.problem.experiments})
    means = [
        float(np.mean(np.asarray(getattr(fit.specimen, name))[groups]))
        for name in names
    ]
    count = len(whole.experiments)
    specimen = Specimen(fit.specimen.cell, *(np.full(count, mean) for mean in means))
    return replace(whole, specimen=specimen)


def _tuberlin_study(energies_as_reported: bool = False) -> Study:
    """Three temperatures, from the fitted Hakadi cell."""
    every = _tuberlin.FREE_HERE
    plain = without(every, "hysteresis")
    flat = scales(plain, "rate_constant")

    def rung(free: Frees, hysteresis: bool = False) -> Callable[[Conditions], Problem]:
        def problem(chosen: Conditions) -> Problem:
            return _tuberlin.tuberlin_problem(
                _hakadi_cell(),
                temperatures=tuple(map(int, chosen)),
                free=free,
                hysteresis=hysteresis,
            )

        return problem

    def reported(chosen: Conditions) -> Problem:
        return _as_reported(rung(every, True)(chosen))

    if energies_as_reported:
        conditions = tuple(map(str, _tuberlin.TEMPERATURES))
        name = "energies as reported"
        return Study(conditions, {name: reported}, name, _tuberlin_predicted)
    return Study(
        tuple(map(str, _tuberlin.TEMPERATURES)),
        {
            "balance, rates, transport": rung(without(flat, "correction")),
            "potentials within a third": rung(stiffer(flat, 3.0)),
            "potentials": rung(flat),
            "curves of k_0": rung(plain),
            "hysteresis": rung(every, True),
        },
        "hysteresis",
        _tuberlin_predicted,
    )


REPORTED = {
    "rate_constant": (55e3, 60e3, 70e3, 80e3, 107e3),
    "diffusivity": (16e3, 55e3, 65e3),
}
"""Activation energies of charge transfer and of diffusion, ends of ranges, with the sources
that `naion.demo._layered_oxide` names [J/mol]: none is of the cell that is fitted."""


def _as_reported(problem: Problem) -> Problem:
    """Energies believed to be the mean of those reported, to within their scatter."""
    cell, free = problem.specimen.cell, problem.free
    for what, energies in REPORTED.items():
        path = f"particle.{what}.temperature.energy"
        mean, sd = float(np.mean(energies)), float(np.std(energies, ddof=1))
        for side in ("negative", "positive"):
            own = functools.partial(leaf, path=f"{side}.{path}")
            cell = eqx.tree_at(own, cell, jnp.asarray(mean))
        free = tuple(
            replace(f, prior=sd) if f.paths[0].endswith(path) else f for f in free
        )
    specimen = Specimen(cell, problem.specimen.missing)
    return replace(problem, specimen=specimen, free=free)


@functools.cache
def _hakadi_cell() -> Cell:
    """As fitted to its own tests: none of them is of the TU Berlin cell."""
    return fitted(_hakadi.hakadi_problem()).specimen.cell


def _tuberlin_predicted(
    whole: Problem, fit: Fit, condition: str, everything: Fit | None
) -> list[Row]:
    # How full the cell was is one number, found from rested voltages.
    i = _tuberlin.TEMPERATURES.index(int(condition))
    name = f"missing[{i}]"
    at = whole.vector.names.index(name)
    (bounds,) = (f.bounds for f in _tuberlin.OWN if f.name == "missing")
    left = [k for k, e in enumerate(whole.experiments) if e.group == i]
    first, z = left[0], fit.z.copy()
    rested = whole.experiments[first].observations[1]

    def off(missing: float) -> float:
        z[at] = missing
        found = split(whole.experiments[first], whole.predictions(z)[first])
        return rmse(found["rested"], rested.value)

    z[at] = least(off, *bounds)
    predicted = whole.predictions(z)
    sd = spreads(whole, z, fit, {i: (name, "rested")})
    base = by_temperature(whole, int(condition)) if everything is not None else {}
    rows = []
    for k in left:
        own = None if everything is None else everything.predictions[k]
        rows += rows_of(whole.experiments[k], predicted[k], sd[k], own, base)
    return rows


STUDIES = {
    "nvpf": _nvpf_study,
    "hakadi": _hakadi_study,
    "tuberlin": _tuberlin_study,
    "tuberlin_reported": lambda: _tuberlin_study(energies_as_reported=True),
    "tuberlin_slow": lambda: slow_share_study(_hakadi_cell),
    "hina": hina_study,
    "hina_freest": lambda: hina_study(shipped=FREEST),
    "hina_sites": lambda: hina_study(shipped=SITES),
    "hina_all": lambda: hina_study(EVERY_STATE, EVERY_CURRENT, ()),
}
"""What makes the study of each cell."""
