"""What parts of the physics cost: a 1C discharge of the 18650 set, on one pinned core."""

import naion as na
from benchmarks.harness import alternate, write
from naion.parameters import (
    load,
    with_heat_through_stack,
    with_hysteresis,
    with_plating,
    with_sei,
)

MESHES = {"default": na.Mesh(), "4/2/4, 26 shells": na.Mesh(4, 2, 4, 26)}


def main() -> None:
    """Time every part in turn with the plain model."""
    plain = load("nfm_hc_18650")
    step = na.Protocol("Discharge at 1C until 1.5 V")
    both = with_plating(with_hysteresis(plain))
    cases = {
        "plain": (plain, na.Isothermal()),
        "lumped heat": (plain, na.Lumped()),
        "hysteresis": (with_hysteresis(plain), na.Isothermal()),
        "plating": (with_plating(plain), na.Isothermal()),
        "SEI": (with_sei(plain), na.Isothermal()),
        "hysteresis, plating, lumped heat": (both, na.Lumped()),
        "all of them": (with_sei(both), na.Lumped()),
        "five layers": (with_heat_through_stack(plain, 0.02), na.ThroughStack(5)),
    }
    rows = []
    for mesh, grid in MESHES.items():

        def solve(case, grid=grid):
            cell, heat = case
            return na.simulate(cell, step, model=na.DFN(grid, heat))

        times = alternate(*(lambda c=c: solve(c).final for c in cases.values()))
        for name, own in zip(cases, times, strict=True):
            s = solve(cases[name])
            steps = f"{int(s.n_steps)} + {int(s.n_rejected)}"
            rows.append([mesh, name, str(own), own.over(times[0]), steps])
    write(
        "parts",
        "What parts of the physics cost",
        ["mesh", "parts", "ms, median (quartiles)", "over plain", "steps"],
        rows,
        "nfm_hc_18650, 1C at 25 degC, rtol 5e-4; parts with their assumed numbers "
        "(naion.parameters.with_hysteresis and so on). Accepted + rejected steps.",
    )
