"""The full posterior of six numbers of the NVPF cell, beside the Gaussian of the fit.

    python -m benchmarks posterior

Rate constants, diffusivities, conductivity of the electrolyte and contact resistance; all
else stays as `make demo` fits it to the three discharges. Writes a table, and the draws as
`results/posterior.nc`, which `arviz.from_netcdf` reads.
"""

import dataclasses
import time

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.harness import FAST, RESULTS, write
from naion.demo._nvpf import nvpf_problem
from naion.fit import (
    Fit,
    FreeParameter,
    errors_of,
    least_squares,
    log_density,
    posterior,
)

SIDES = ("negative", "positive")
SIX = (
    *(
        FreeParameter(
            (f"cell.{s}.particle.rate_constant.scale",), (0.05, 20.0), "log", 0.8
        )
        for s in SIDES
    ),
    *(
        FreeParameter(
            (f"cell.{s}.particle.diffusivity.scale",), (0.05, 20.0), "log", 0.6
        )
        for s in SIDES
    ),
    FreeParameter(("cell.electrolyte.conductivity.scale",), (0.5, 2.0), "log", 0.2),
    FreeParameter(
        ("cell.contact_resistance.curve.value",), (0.0, 40.0), "linear", 15.0
    ),
)
CHAINS, DRAWS, TUNE = (2, 10, 10) if FAST else (4, 250, 60)


def main() -> None:
    """Fit, sample, compare."""
    import arviz

    whole = nvpf_problem()
    fitted = least_squares(whole, max_evaluations=3 if FAST else 40, tolerance=2e-3)
    # Priors are around what the cell was believed to be, not around the fit.
    six = dataclasses.replace(
        whole, specimen=fitted.specimen, free=SIX, believed=whole.specimen
    )
    fit = least_squares(six, progress=print)
    began = time.perf_counter()
    drawn = posterior(fit, chains=CHAINS, draws=DRAWS, tune=TUNE)
    minutes = (time.perf_counter() - began) / 60.0
    summary, draws = arviz.summary(drawn, round_to="none"), drawn["posterior"]
    rows = []
    for entry in fit.table():
        name = entry["name"]
        low, middle, high = np.percentile(draws[name].values, [5.0, 50.0, 95.0])
        about = summary.loc[name]
        rows.append(
            [
                name,
                _interval(entry["value"], entry["low"], entry["high"]),
                _interval(middle, low, high),
                f"{about['r_hat']:.3f}",
                f"{about['ess_bulk']:.0f}",
                f"{about['ess_tail']:.0f}",
            ]
        )
    stats = drawn["sample_stats"]
    diverging = int(stats["diverging"].values.sum())
    if not FAST:
        drawn.to_netcdf(RESULTS / "posterior.nc")
    write(
        "posterior",
        "Posterior of six numbers of the NVPF cell",
        ["number", "fit (90 %)", "posterior (90 %)", "R-hat", "ESS bulk", "ESS tail"],
        rows,
        f"{CHAINS} chains of {DRAWS} draws after {TUNE} of tuning, no-U-turn sampler; "
        f"{diverging} divergences, {float(stats['n_steps'].mean()):.1f} gradients a draw, "
        f"{minutes:.0f} minutes. The choice of time steps moves the logarithm of the "
        f"density by {roughness(fit, 1e-3):.2g} (rms, along the shape of the fit) at a "
        f"tolerance of 1e-3, by {roughness(fit, 1e-4):.2g} at 1e-4, which is used. "
        "Fit: best value and interval of its Gaussian; posterior: median and interval of "
        "the draws. Scales of rate constants and diffusivities are over their fitted "
        "curves; contact resistance in ohm.",
    )


def roughness(fit: Fit, rtol: float) -> float:
    """Root mean square of what is not smooth in the logarithm of the density."""
    problem = dataclasses.replace(fit.problem, rtol=rtol)
    covariance = errors_of(fit).covariance(problem.experiments)
    density = jax.jit(jax.vmap(log_density(problem, covariance)))
    at, rough = np.linspace(-1.0, 1.0, 41), []
    for direction in np.linalg.cholesky(fit.covariance).T:
        values = np.asarray(density(jnp.asarray(fit.z + at[:, None] * direction)))
        smooth = np.polynomial.Polynomial.fit(at, values, 5)
        rough.append(values - smooth(at))
    return float(np.sqrt(np.mean(np.square(rough))))


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.3g} ({low:.3g} to {high:.3g})"
