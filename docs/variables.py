"""Write variables.md, the page of all variables, from their registry: `make docs`."""

from dataclasses import replace
from pathlib import Path

import naion
from naion.parameters import with_double_layer, with_hysteresis, with_plating, with_sei
from naion.physics.kinetics import ChayambukaButlerVolmer
from naion.simulation import VARIABLES, WITH_CELL, Variable, known

PAGE = Path(__file__).with_suffix(".md")

TOP = """# Variables

Written by `make docs` from the registry in `naion/simulation/_variables.py`.

`solution[NAME]` takes naion's name or PyBaMM's; `solution.keys()` lists what a solution has,
`solution.search(TEXT)` finds names. Dimensions: `time` are the ends of the solver's steps,
`step_time` their starts, where fields are kept (`simulate(..., keep_states=True)`), `x`
volumes through the cell, `r` shells from the centre outwards, `particle` the particles of
all volumes, `layer` the layers of `ThroughStack`, the second dimension of their fields.
"""

FROM_CELL = """## With the cell

`solution.to_xarray(cell)` and `naion.plot.fields(solution, cell)` know these too.
"""

OF_SURFACES = """## Of processes at particle surfaces

Each is there if the cell has the process.
"""


def page() -> str:
    """The page as it should be."""
    parts = [TOP, _table(VARIABLES), FROM_CELL, _table(WITH_CELL)]
    return "\n".join([*parts, OF_SURFACES, _table(_of_surfaces())])


def _of_surfaces() -> list[Variable]:
    """Of all processes that ship, in the order of cells that have them."""
    cell = naion.load("nvpf_hc_chayambuka2022")
    cell = replace(cell, kinetics=ChayambukaButlerVolmer(cell.area))
    for add in (with_hysteresis, with_plating, with_sei, with_double_layer):
        cell = add(cell)
    return known(naion.DFN().for_cell(cell))[len(VARIABLES) :]


def _table(variables) -> str:
    rows = [
        ["name", "symbol", "unit", "dimensions", "in PyBaMM"],
        ["---"] * 5,
        *([v.name, f"`{v.symbol}`", v.unit, *_last(v)] for v in variables),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _last(v: Variable) -> tuple[str, str]:
    return ", ".join(v.dimensions), ", ".join(v.aliases)


if __name__ == "__main__":
    naion.enable_x64()
    PAGE.write_text(page(), encoding="utf-8")
