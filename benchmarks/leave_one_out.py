"""Does a fit of two NVPF / hard-carbon rates predict the third?"""

from dataclasses import replace

import numpy as np

import naion as na
from benchmarks.harness import FAST, write
from naion.fit import gradient_descent, least_squares
from naion.studies import capacity_errors, nvpf_problem
from naion.studies._nvpf import RATES


def main() -> None:
    """Fit without each rate in turn and predict it."""
    whole = nvpf_problem()
    rows = []
    for left_out in RATES[:1] if FAST else RATES:
        rest = tuple(r for r in RATES if r != left_out)
        z = gradient_descent(nvpf_problem(rest), iterations=2 if FAST else 40)
        fit = least_squares(nvpf_problem(rest), z, max_evaluations=2 if FAST else 25)
        everywhere = replace(fit, problem=whole)
        for e, model, rate, capacity in zip(
            whole.experiments,
            whole.predictions(fit.z),
            RATES,
            capacity_errors(everywhere),
            strict=True,
        ):
            value = e.observations[0].value
            use = np.isfinite(model) & (value > 2.0)
            rmse = 1e3 * np.sqrt(np.mean((model - value)[use] ** 2))
            kind = "predicted" if rate == left_out else "fitted"
            rows.append(
                [f"without {left_out}", e.name, kind, f"{rmse:.1f}", f"{capacity:+.2f}"]
            )
    write(
        "leave_one_out",
        "NVPF / hard carbon, leave one rate out",
        ["fit", "discharge", "used as", "RMSE mV", "capacity %"],
        rows,
        "Voltage RMSE over equal steps of charge, above 2 V.",
    )


if __name__ == "__main__":
    na.enable_x64()
    main()
