"""The registry of all named quantities of a solution.

`Solution[...]`, `keys`, `search`, tables, labelled arrays, plots and docs/variables.md all
read it.
"""

import difflib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from ..models import Equations, State
from ..parameters import Cell

if TYPE_CHECKING:
    from ._solution import Solution

TIME = ("time",)
LAYERS = ("time", "layer")
LINE = ("step_time", "x")
PARTICLES = ("step_time", "particle")
SHELLS = ("step_time", "r", "particle")


class Variable(NamedTuple):
    """A named quantity of a solution.

    Attributes:
        name: name, with the unit in brackets if it has one.
        symbol: symbol in equations.
        dimensions: dimensions of the array, in order: "time" for the start and the ends of
            the solver's steps, "step_time" for their starts, at which fields are kept; "x"
            for volumes, "r" for shells from the centre outwards, "particle" for the
            particles of all volumes. With several layers, "layer" comes second in fields.
        function: function of a solution that gives the array; for quantities in
            `WITH_CELL` of a solution and its cell.
        aliases: names of the same quantity in PyBaMM.
    """

    name: str
    symbol: str
    dimensions: tuple[str, ...]
    function: Callable[..., Array]
    aliases: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """The unit, or "" for none."""
        return self.name.rsplit("[", 1)[1].rstrip("]") if "[" in self.name else ""

    @property
    def quantity(self) -> str:
        """The name without its unit."""
        return self.name.rsplit(" [", 1)[0]

    @property
    def is_field(self) -> bool:
        """Whether it needs `keep_states=True`."""
        return self.dimensions[0] == "step_time"


def _field(of: Callable[[State], Array]) -> Callable[["Solution"], Array]:
    return lambda s: of(s.states)


VARIABLES = (
    Variable("Time [s]", "t", TIME, lambda s: s.t),
    Variable("Time [h]", "t", TIME, lambda s: s.t / 3600.0),
    Variable(
        "Voltage [V]",
        "V",
        TIME,
        lambda s: s.voltage,
        ("Terminal voltage [V]", "Battery voltage [V]"),
    ),
    Variable("Current [A]", "I", TIME, lambda s: s.current, ("Total current [A]",)),
    Variable("Power [W]", "P", TIME, lambda s: s.voltage * s.current),
    Variable(
        "Cell temperature [K]",
        "T",
        TIME,
        lambda s: s.temperature,
        ("Volume-averaged cell temperature [K]", "X-averaged cell temperature [K]"),
    ),
    Variable(
        "Cell temperature [C]",
        "T",
        TIME,
        lambda s: s.temperature - ZERO_CELSIUS,
        ("Volume-averaged cell temperature [C]", "X-averaged cell temperature [C]"),
    ),
    Variable("Discharge capacity [A.h]", "Q", TIME, lambda s: s.discharged),
    Variable("Discharge energy [W.h]", "E", TIME, lambda s: s.discharge_energy),
    Variable("Plating margin [V]", "eta_pl", TIME, lambda s: s.plating_margin),
    Variable(
        "Negative electrode potential vs reference [V]",
        "E_n",
        TIME,
        lambda s: s.negative_potential,
        ("Negative electrode 3E potential [V]",),
    ),
    Variable(
        "Positive electrode potential vs reference [V]",
        "E_p",
        TIME,
        lambda s: s.positive_potential,
        ("Positive electrode 3E potential [V]",),
    ),
    Variable("Layer temperature [K]", "T", LAYERS, lambda s: s.layer_temperature),
    Variable(
        "Layer temperature [C]",
        "T",
        LAYERS,
        lambda s: s.layer_temperature - ZERO_CELSIUS,
    ),
    Variable("Electrolyte potential [V]", "phi_e", LINE, _field(lambda y: y.phi_e)),
    Variable("Electrode potential [V]", "phi_s", LINE, _field(lambda y: y.phi_s)),
    Variable(
        "Electrolyte concentration over initial", "c_e", LINE, _field(lambda y: y.c_e)
    ),
    Variable(
        "Interfacial current density [A.m-2]", "j", PARTICLES, _field(lambda y: y.j)
    ),
    Variable("Particle stoichiometry", "x_s", SHELLS, _field(lambda y: y.total_sto)),
)
"""The quantities that all cells have, in the order of tables."""


def _middle_of_volumes(s: "Solution", cell: Cell) -> Array:
    dx = s.model.discretise(cell).dx
    return jnp.cumsum(dx) - 0.5 * dx


def _surface(s: "Solution", cell: Cell) -> Array:
    """Stoichiometry of all sites at the surface, with the pores in equilibrium."""
    composition = s.model.discretise(cell).composition
    for _ in range(s.states.temperature.ndim):
        composition = jax.vmap(composition)
    return composition(s.states.sto[..., -1, :], s.states.temperature)


WITH_CELL = (
    Variable("Position [m]", "x", ("x",), _middle_of_volumes),
    Variable("Position [um]", "x", ("x",), lambda *a: 1e6 * _middle_of_volumes(*a)),
    Variable(
        "Electrolyte concentration [mol.m-3]",
        "c_e",
        LINE,
        lambda s, cell: s.states.c_e * cell.electrolyte.concentration,
    ),
    Variable("Surface stoichiometry", "x_surf", PARTICLES, _surface),
)
"""Quantities that need the simulated cell: positions, and fields in SI."""


def known(equations: Equations) -> list[Variable]:
    """All quantities of these equations, with the unknowns of their surface processes."""

    def of(name: str) -> Callable[["Solution"], Array]:
        return lambda s: s.equations.named(s.states)[name]

    # The first is the interfacial current density, which all cells have.
    return [
        *VARIABLES,
        *(
            Variable(u.title or u.name, u.name, PARTICLES, of(u.name))
            for u in equations.surface[1:]
        ),
    ]


def variables_of(solution: "Solution") -> list[Variable]:
    """The quantities that a solution has: fields only if kept, layers only if several.

    None at all where only cycles or the end were kept.
    """
    if solution.record.t.shape[-1] == 0:
        return []
    has_fields = solution.record.y.shape[-1] > 0
    layers = solution.model.nodes > 1
    return [
        v
        for v in known(solution.equations)
        if (has_fields or not v.is_field) and (layers or v.dimensions != LAYERS)
    ]


def variable(name: str, among: Sequence[Variable]) -> Variable:
    """The variable with a name, in naion or in PyBaMM.

    Raises:
        KeyError: for an unknown name, with the nearest known ones.
    """
    by_name = {alias: v for v in among for alias in v.aliases}
    by_name |= {v.name: v for v in among}
    if (found := by_name.get(name)) is not None:
        return found
    near = difflib.get_close_matches(str(name), by_name, n=3, cutoff=0.4)
    near = near or [k for k in by_name if str(name).lower() in k.lower()][:3]
    hint = f"Nearest: {', '.join(near)}. " if near else ""
    raise KeyError(
        f"No output {name!r}. {hint}Known: {', '.join(v.name for v in among)}."
    )


def matching(text: str, among: Sequence[Variable]) -> list[str]:
    """Names of variables whose name in naion or in PyBaMM contains a text, in any case."""
    wanted = text.lower()
    return [
        v.name
        for v in among
        if any(wanted in name.lower() for name in (v.name, *v.aliases))
    ]
