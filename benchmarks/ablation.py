"""What each part of the shipped fits buys: the fit with it, and without.

python -m benchmarks ablation [nvpf hakadi tuberlin]
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import naion as na
from benchmarks.harness import FAST, write
from benchmarks.scores import by_label
from naion.demo import _hakadi, _layered_oxide, _nvpf, _tuberlin
from naion.fit import Fit, FreeParameter, Problem, least_squares

Variant = tuple[str, Callable[[], Problem]]


def scales(free: tuple[FreeParameter, ...], what: str) -> tuple[FreeParameter, ...]:
    """Instead of a curve's values, the scale of it."""
    return tuple(
        replace(f, paths=(f.paths[0].replace("curve.y", "scale"),), bounds=(0.02, 50.0))
        if f"{what}.curve.y" in f.paths[0]
        else f
        for f in free
    )


def without(
    free: tuple[FreeParameter, ...], *parts: tuple[FreeParameter, ...]
) -> tuple[FreeParameter, ...]:
    """All but some."""
    gone = {f for part in parts for f in part}
    return tuple(f for f in free if f not in gone)


def nvpf() -> Iterator[Variant]:
    every = (*_nvpf.FREE, *_nvpf.AXIS)
    plain = scales(scales(every, "rate_constant"), "diffusivity")
    yield "all", lambda: _nvpf.nvpf_problem()
    yield (
        "without curves of k_0 and D_s",
        lambda: _nvpf.nvpf_problem(cell=_nvpf.start_cell(curves=False), free=plain),
    )
    yield (
        "without errors of the charge axis",
        lambda: _nvpf.nvpf_problem(free=_nvpf.FREE),
    )


def hakadi() -> Iterator[Variant]:
    oxide = _layered_oxide
    every = (*oxide.FREE, *_hakadi.HEAT, *_hakadi.SENSOR)
    yield "all", lambda: _hakadi.hakadi_problem()
    yield (
        "with hysteresis",
        lambda: _hakadi.hakadi_problem(
            cell=oxide.with_branches(oxide.start_cell()),
            free=(*every, *oxide.HYSTERESIS),
        ),
    )
    yield (
        "without curves of k_0",
        lambda: _hakadi.hakadi_problem(
            cell=oxide.start_cell(rates=False), free=scales(every, "rate_constant")
        ),
    )
    yield (
        "isothermal",
        lambda: _hakadi.hakadi_problem(
            free=without(every, _hakadi.HEAT), model=na.DFN(_hakadi.MODEL.mesh)
        ),
    )
    yield (
        "without errors of the sensor",
        lambda: _hakadi.hakadi_problem(free=without(every, _hakadi.SENSOR[1:])),
    )


def tuberlin() -> Iterator[Variant]:
    """From the Hakadi cell, whose rate constants are fitted in the same way."""
    oxide = _layered_oxide
    plain = (*oxide.FREE, *oxide.TEMPERATURE, *_tuberlin.OWN)
    every = (*plain, *oxide.HYSTERESIS)
    cycles = dict(hakadi())
    variants = {
        "all": ("all", every, True),
        "without hysteresis": ("all", plain, False),
        "without curves of k_0": (
            "without curves of k_0",
            scales(every, "rate_constant"),
            True,
        ),
    }
    for name, (start, free, hysteresis) in variants.items():

        def problem(start=start, free=free, hysteresis=hysteresis) -> Problem:
            cell = fitted(cycles[start]()).specimen.cell
            return _tuberlin.tuberlin_problem(cell, free=free, hysteresis=hysteresis)

        yield name, problem


CELLS = {"nvpf": nvpf, "hakadi": hakadi, "tuberlin": tuberlin}


def fitted(problem: Problem) -> Fit:
    """Nearly as in `make demo`, which stops at 5e-4, from the set's own numbers."""
    return least_squares(problem, max_evaluations=2 if FAST else 40, tolerance=2e-3)


def main() -> None:
    """Fit every variant of the cells named, or of all."""
    for name in sys.argv[1:] or list(CELLS):
        rows = []
        for variant, problem in CELLS[name]():
            fit = fitted(problem())
            for label, (mean, worst) in by_label(fit).items():
                rows.append([variant, label, mean, worst])
            if FAST:
                break
        write(
            f"ablation_{name}",
            f"What each part buys: {name}",
            ["fit", "of", "mean", "worst"],
            rows,
            "Voltages: RMSE in mV over the points above 2 V. Resistances: error in %. "
            "Fits start from the set's own numbers, those of TU Berlin from the Hakadi cell "
            "fitted in the same way.",
        )
