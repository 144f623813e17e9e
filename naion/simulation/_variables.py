"""Everything that a solution can be asked for by name: one registry for all who ask.

`Solution[...]`, `keys`, `search`, tables, labelled arrays and plots read it.
"""

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from jaxtyping import Array

from .._constants import ZERO_CELSIUS
from ..models import State

if TYPE_CHECKING:
    from ._solution import Solution

TIME = ("time",)
LAYERS = ("time", "layer")
LINE = ("step_time", "x")
PARTICLES = ("step_time", "particle")
SHELLS = ("step_time", "r", "particle")


class Variable(NamedTuple):
    """A quantity that varies along a solution.

    Attributes:
        name: with its unit in brackets, none where it has none.
        symbol: in equations.
        dimensions: of the array, in order: "time" are the ends of the solver's steps,
            "step_time" their starts, where fields are kept; "x" volumes, "r" shells from
            the centre outwards, "particle" the particles of all volumes. Fields of several
            layers have "layer" as their second dimension.
        function: of a solution.
        aliases: the same quantity in PyBaMM.
    """

    name: str
    symbol: str
    dimensions: tuple[str, ...]
    function: Callable[["Solution"], Array]
    aliases: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Unit, or ""."""
        return self.name.rsplit("[", 1)[1].rstrip("]") if "[" in self.name else ""

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
    Variable("Layer temperature [K]", "T", LAYERS, lambda s: s.layer_temperature),
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
"""Every named quantity, in the order of tables."""

_BY_NAME = {v.name: v for v in VARIABLES}
_BY_ALIAS = {alias: v for v in VARIABLES for alias in v.aliases}


def available(solution: "Solution") -> list[Variable]:
    """What a solution has: fields if they were kept, layers if there are several.

    Nothing where only cycles or the end were kept.
    """
    if solution.record.t.shape[-1] == 0:
        return []
    has_fields = solution.record.y.shape[-1] > 0
    layers = solution.model.nodes > 1
    return [
        v
        for v in VARIABLES
        if (has_fields or not v.is_field) and (layers or v.dimensions != LAYERS)
    ]


def variable(name: str) -> Variable:
    """The variable with a name of naion's or of PyBaMM's.

    Raises:
        KeyError: for an unknown name, with the nearest known ones.
    """
    if (found := _BY_NAME.get(name) or _BY_ALIAS.get(name)) is not None:
        return found
    known = [*_BY_NAME, *_BY_ALIAS]
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.4)
    near = near or [k for k in known if str(name).lower() in k.lower()][:3]
    hint = f"Nearest: {', '.join(near)}. " if near else ""
    raise KeyError(f"No output {name!r}. {hint}Known: {', '.join(_BY_NAME)}.")


def matching(text: str, among: list[Variable]) -> list[str]:
    """Names that contain a text, in naion's or in PyBaMM's words, any case."""
    wanted = text.lower()
    return [
        v.name
        for v in among
        if any(wanted in name.lower() for name in (v.name, *v.aliases))
    ]
