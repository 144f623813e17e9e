"""Run a benchmark: `python -m benchmarks NAME`, or `python -m benchmarks --cores 2 NAME`.

What times things runs on one core, all else on every core that the process may use. The
process is pinned before NumPy, JAX and naion are imported, as their threads inherit it.
"""

import argparse
import importlib
import os
import sys

ON_ONE_CORE = (
    *("batch", "cycles", "derivatives", "discharge", "draws", "fits", "native"),
    *("packs", "parts", "scaling"),
)
ON_ALL_CORES = (
    *("alike", "chemistries", "claims", "cluster", "cost"),
    *("cold_grid", "cold_grid_pybamm"),
    *("defaults_grid", "duty", "embedded", "equality", "first_call", "fleet", "gpu"),
    *("half_cells", "integrators", "leave_one_out", "lfp_cold", "life", "long_runs"),
    *("mesh", "mixed_packs", "newcomer"),
    *("optimisers", "posterior", "robustness", "selection"),
)


def main() -> int:
    """Pin, import and run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--cores", type=int, help="how many, at most")
    parser.add_argument("name", choices=sorted(ON_ONE_CORE + ON_ALL_CORES))
    parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="of the benchmark; see its --help"
    )
    given = parser.parse_args()
    cores = given.cores or (1 if given.name in ON_ONE_CORE else None)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    sys.argv = [f"{parser.prog} {given.name}", *given.arguments]

    import naion

    naion.enable_x64()
    return importlib.import_module(f"benchmarks.{given.name}").main() or 0


if __name__ == "__main__":
    sys.exit(main())
