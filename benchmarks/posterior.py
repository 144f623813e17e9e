"""Posterior of six transport numbers of the sodium set, beside what the fit's covariance says.

    python -m benchmarks.posterior

The curves that the fit found stay as they are; six factors on them are sampled by NUTS, with
the errors of data and model that the fit found. The draws are kept as NetCDF.
"""

import dataclasses
import tempfile
import time
from pathlib import Path

import arviz
import numpy as np

import naion as na
from benchmarks.harness import FAST, RESULTS, write
from naion.fit import Free, least_squares, posterior
from naion.studies._nvpf import nvpf_problem

SIX = (
    Free(("cell.negative.particle.rate_constant.scale",), (0.1, 10.0), "log", 0.5),
    Free(("cell.positive.particle.rate_constant.scale",), (0.1, 10.0), "log", 0.5),
    Free(("cell.negative.particle.diffusivity.scale",), (0.1, 10.0), "log", 0.5),
    Free(("cell.positive.particle.diffusivity.scale",), (0.1, 10.0), "log", 0.5),
    Free(("cell.electrolyte.conductivity.scale",), (0.5, 2.0), "log", 0.2),
    Free(("cell.contact_resistance.curve.value",), (0.0, 60.0), "linear", 15.0),
)


def main() -> None:
    """Fit, sample, and set the two side by side."""
    evaluations = 2 if FAST else 24
    whole = nvpf_problem()
    fit = least_squares(whole, max_evaluations=evaluations, tolerance=2e-3)
    six = dataclasses.replace(
        whole, subject=fit.subject, free=SIX, believed=fit.subject
    )
    found = least_squares(six, max_evaluations=evaluations)
    began = time.perf_counter()
    drawn = posterior(
        found,
        chains=2 if FAST else 4,
        draws=20 if FAST else 500,
        tune=20 if FAST else 300,
    )
    minutes = (time.perf_counter() - began) / 60.0
    summary = arviz.summary(drawn, hdi_prob=0.9)
    rows = []
    for of_fit, f in zip(found.table(), SIX, strict=True):
        name = of_fit["name"]
        values = drawn.posterior[name].values.ravel()
        low, middle, high = np.percentile(values, [5.0, 50.0, 95.0])
        s = summary.loc[name]
        rows.append(
            [
                name,
                f"{of_fit['value']:.3g} ({of_fit['low']:.3g} to {of_fit['high']:.3g})",
                f"{middle:.3g} ({low:.3g} to {high:.3g})",
                f"{s['r_hat']:.3f}",
                f"{s['ess_bulk']:.0f}",
            ]
        )
        assert name == f.name
    diverging = int(drawn.sample_stats["diverging"].sum())
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "posterior.nc"
        drawn.to_netcdf(str(path))
        if not FAST:
            path.replace(RESULTS / "posterior.nc")
    write(
        "posterior",
        "Posterior of six transport numbers",
        ["number", "fit (90 %)", "NUTS (90 %)", "R-hat", "effective draws"],
        rows,
        "Three discharges of the NVPF / hard carbon cell; factors on the fitted curves. "
        f"{drawn.posterior.sizes['chain']} chains of {drawn.posterior.sizes['draw']} draws "
        f"after warming up, {diverging} diverging, {minutes:.1f} min. The draws are in "
        "posterior.nc (`arviz.from_netcdf`).",
    )


if __name__ == "__main__":
    na.enable_x64()
    main()
