"""PyBaMM parameter values by name, evaluated by PyBaMM itself."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from .._constants import F, R
from ..properties import Arrhenius, Property, Table, constant

if TYPE_CHECKING:
    import pybamm  # pyright: ignore[reportMissingImports]

SAME = 1e-6
"""Relative difference up to which a law counts as the one that naion has."""

STO = np.concatenate(
    [
        np.geomspace(1e-4, 0.02, 30)[:-1],
        np.linspace(0.02, 0.98, 241),
        1.0 - np.geomspace(0.02, 1e-4, 30)[1:],
    ]
)
SALT = np.concatenate(
    [np.geomspace(1.0, 100.0, 25)[:-1], np.linspace(100.0, 4000.0, 118)]
)
"""Stoichiometries, and salt concentrations [mol.m-3], at which functions are tabulated."""

MIDDLE = 0.5
"""Stoichiometry at which naion takes what it has no dependence for."""

APART = 15.0
"""From the reference temperature, where laws in temperature are looked at [K]."""


class Values:
    """Parameter values by name. What is wrong is noted, so that one error names it all.

    Attributes:
        T_ref: reference temperature of the values' own laws [K].
        T: at which laws are frozen that naion cannot express [K].
        missing: names that are not there.
        unusable: names and why.
        frozen: names of the laws that were frozen.
        cautions: what else a user should know.
    """

    def __init__(self, values: "pybamm.ParameterValues"):
        self.values = values
        self.missing: list[str] = []
        self.unusable: list[str] = []
        self.frozen: list[str] = []
        self.cautions: list[str] = []
        self.T_ref = self.number("Reference temperature [K]", 298.15)
        self.T = self.T_ref

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def call(
        self, name: str, *arguments: np.ndarray | float, also: Sequence[float] = ()
    ) -> np.ndarray:
        """A number, function or table at arguments that are broadcast to each other.

        Args:
            name: of the parameter, which is there.
            arguments: as PyBaMM's models give them.
            also: further ones, for functions that cannot do without.
        """
        import pybamm  # pyright: ignore[reportMissingImports]

        every = [np.atleast_1d(np.asarray(a, float)) for a in (*arguments, *also, 0.0)]
        vectors = np.broadcast_arrays(*every)
        columns = [pybamm.Vector(v[:, None]) for v in vectors[:-1]]
        given, shape = self.values[name], vectors[0].shape
        try:
            if callable(given) and not isinstance(given, pybamm.Symbol):
                count = _arguments(given, len(arguments), len(columns))
                symbol = pybamm.convert_to_symbol(given(*columns[:count]))
            elif arguments:
                usual = columns[: len(arguments)]
                inputs: dict[str, Any] = {str(k): c for k, c in enumerate(usual)}
                symbol = pybamm.FunctionParameter(name, inputs)
            else:
                symbol = pybamm.Parameter(name)
            symbol = self.values.process_symbol(symbol)
            why = _undetermined(symbol)
            with np.errstate(all="ignore"):
                found = np.ones(shape) if why else symbol.evaluate()
        # Functions of users can raise anything.
        except Exception as error:
            why, found = f"{type(error).__name__}: {error}", np.ones(shape)
        found = np.broadcast_to(np.ravel(np.asarray(found, float)), shape)
        if not why and not np.all(np.isfinite(found)):
            first = int(np.argmin(np.isfinite(found)))
            place = ", ".join(f"{v[first]:g}" for v in vectors[: len(arguments)])
            why = f"it is {found[first]} at {place or 'any place'}"
        if why:
            note = f"{name} ({why})"
            self.unusable += [] if note in self.unusable else [note]
            return np.ones(shape)
        return found

    def number(self, name: str, usual: float | None = None, *at: float) -> float:
        """A number, or a function that has one value at `at`."""
        if name not in self:
            if usual is None:
                self.missing.append(name)
            return 1.0 if usual is None else usual
        return float(self.call(name, *at)[0])

    def uniform(self, name: str, *samples: np.ndarray) -> float:
        """A number, or a function of position that has the same value everywhere."""
        if name not in self:
            self.missing.append(name)
            return 1.0
        found = self.call(name, *samples)
        if np.ptp(found) > SAME * np.max(np.abs(found)):
            self.unusable.append(f"{name} (it depends on position)")
        return float(found[0])

    def of_temperature(self, name: str, usual: float) -> float:
        """A number; a law in temperature is frozen."""
        if name not in self:
            return usual
        low, here, high = self.call(name, self.T + APART * np.arange(-1.0, 2.0))
        if max(abs(low - here), abs(high - here)) > SAME * abs(here):
            self._froze(name)
        return float(here)

    def conductivity(self, name: str) -> float:
        """Of an electrode: a function of stoichiometry and temperature, or a number."""
        if name not in self:
            self.missing.append(name)
            return 1.0
        given = self.values[name]
        # PyBaMM's sets once had functions of temperature alone.
        alone = callable(given) and _positional(given)[1] == 1

        def at(sto: np.ndarray | float, T: np.ndarray | float) -> np.ndarray:
            return self.call(name, T) if alone else self.call(name, sto, T)

        here = float(at(MIDDLE, self.T)[0])
        over = at(MIDDLE, self.T + APART * np.arange(-1.0, 2.0))
        along = at(np.linspace(0.05, 0.95, 19), self.T)
        if np.ptp(along) > SAME * abs(here):
            self._froze(f"{name}, at stoichiometry {MIDDLE:g}")
        elif np.ptp(over) > SAME * abs(here):
            self._froze(name)
        return here

    def resistance(self, name: str) -> Property:
        """In series; a function of temperature, or a number, or none."""
        if name not in self:
            return constant(0.0)
        return self.tabulated(name, np.zeros(1), lambda T: self.call(name, T))

    def of_salt(self, name: str, usual: float | None = None) -> Property:
        """A property of the electrolyte."""
        return self._property(name, SALT, usual)

    def of_sto(self, name: str, usual: float | None = None) -> Property:
        """A property of a particle, a function of stoichiometry and temperature."""
        return self._property(name, STO, usual)

    def of_sto_alone(self, name: str, usual: float | None = None) -> np.ndarray:
        """At `STO`, at the temperature of frozen laws if the function has one."""
        if name not in self:
            if usual is None:
                self.missing.append(name)
            return np.full(STO.shape, 1.0 if usual is None else usual)
        here, there = (
            self.call(name, STO, also=(T,)) for T in (self.T, self.T + APART)
        )
        if not np.allclose(here, there, rtol=SAME, atol=0.0):
            self._froze(name)
        return here

    def rate(self, name: str, c_max: float, salt: float) -> Property:
        """k_0 of j_0 = F k_0 c_max sqrt(c_e/c_e0) sqrt(x (1-x))."""
        if name not in self:
            self.missing.append(name)
            return constant(1.0)

        def j_0(share: float, T: float) -> np.ndarray:
            return self.call(name, share * salt, STO * c_max, c_max, T)

        full, half = j_0(1.0, self.T_ref), j_0(0.5, self.T_ref)
        if not np.allclose(half, np.sqrt(0.5) * full, rtol=1e-3):
            self.cautions.append(
                f"{name!r} is not proportional to the root of the salt concentration, as "
                "naion's kinetics are; it is the values' own at the initial concentration."
            )
        sites = F * c_max * np.sqrt(STO * (1.0 - STO))
        k_0 = self.tabulated(name, STO, lambda T: j_0(1.0, T) / sites)
        y = getattr(k_0.curve, "y", None)
        if y is not None and np.ptp(y) < SAME * np.max(y):
            return constant(float(np.median(y)), k_0.temperature)
        return k_0

    def _property(self, name: str, x: np.ndarray, usual: float | None) -> Property:
        if name not in self:
            if usual is None:
                self.missing.append(name)
            return constant(1.0 if usual is None else usual)
        return self.tabulated(name, x, lambda T: self.call(name, x, T))

    def tabulated(
        self, name: str, x: np.ndarray, at: Callable[[float], np.ndarray]
    ) -> Property:
        """A property from `at(T)`, values at the points x and a temperature."""
        y, law = at(self.T_ref), None
        steps = np.array([[-APART], [APART]])
        there = np.stack([at(self.T_ref + float(dT)) for dT in steps[:, 0]])
        if not np.allclose(there, y, rtol=SAME, atol=0.0):
            inverse = 1.0 / self.T_ref - 1.0 / (self.T_ref + steps)
            with np.errstate(all="ignore"):
                energies = R * np.log(there / y) / inverse
            energy = float(np.median(energies))
            # PyBaMM rounds R and F.
            if np.allclose(energies, energy, rtol=1e-3):
                law = Arrhenius(jnp.asarray(energy), jnp.asarray(self.T_ref))
            else:
                self._froze(name)
                y = at(self.T)
        if np.allclose(y, y[0], rtol=1e-12, atol=0.0):
            return constant(float(y[0]), law)
        table = Table(jnp.asarray(x), jnp.asarray(y), extrapolation="clamp")
        return Property(table, law)

    def _froze(self, name: str) -> None:
        self.frozen += [] if name in self.frozen else [name]


def _positional(function: Any) -> tuple[int, int]:
    """How many positional arguments a function needs, and how many it takes."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0, 1000
    kinds = inspect.Parameter
    if any(p.kind is kinds.VAR_POSITIONAL for p in parameters):
        return 0, 1000
    places = [
        p
        for p in parameters
        if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
    ]
    return sum(p.default is kinds.empty for p in places), len(places)


def _arguments(function: Any, usual: int, most: int) -> int:
    """How many of `most` arguments to give, of which `usual` are always meant."""
    needed, taken = _positional(function)
    return min(max(min(usual, taken), needed), most)


def _undetermined(symbol: Any) -> str:
    """Why a symbol has no value, or nothing."""
    import pybamm  # pyright: ignore[reportMissingImports]

    for node in symbol.pre_order():
        if isinstance(node, pybamm.InputParameter):
            return f"it needs the input {node.name!r}: give it a value"
        if isinstance(node, pybamm.Time):
            return "it depends on time"
    return ""
