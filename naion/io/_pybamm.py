"""Cells from PyBaMM parameter values. Needs the extra `naion[pybamm]`."""

from typing import TYPE_CHECKING, Any, Literal

import jax.numpy as jnp
import numpy as np

from .._constants import F
from ..parameters import (
    Cell,
    Electrode,
    Electrolyte,
    Limits,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
)
from ..physics.kinetics import ButlerVolmer
from ..properties import Arrhenius, Property, Table, constant

if TYPE_CHECKING:
    import pybamm  # pyright: ignore[reportMissingImports]

Beyond = Literal["linear", "clamp"]
"""How a table goes on beyond its ends."""

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


def from_pybamm(values: "pybamm.ParameterValues") -> Cell:
    """The cell of a PyBaMM parameter set for a Doyle-Fuller-Newman model.

    Functions are tabulated and continued by monotone cubics; laws in temperature must be
    of Arrhenius form. Ageing parameters are ignored.

    Args:
        values: such as `pybamm.ParameterValues("Chen2020")`.

    Raises:
        ValueError: listing what is missing, or what naion cannot express.
    """
    v = _Values(values)
    area = v["Electrode height [m]"] * v["Electrode width [m]"]
    area *= v["Number of electrodes connected in parallel to make a cell"]
    cell = Cell(
        negative=v.electrode("Negative"),
        separator=Separator(
            thickness=_a(v["Separator thickness [m]"]),
            porosity=_a(v["Separator porosity"]),
            transport_efficiency=_a(v.efficiency("Separator")),
        ),
        positive=v.electrode("Positive"),
        electrolyte=Electrolyte(
            concentration=_a(v.salt),
            conductivity=v.of_salt("Electrolyte conductivity [S.m-1]"),
            diffusivity=v.of_salt("Electrolyte diffusivity [m2.s-1]"),
            t_plus=v.of_salt("Cation transference number"),
            thermodynamic_factor=v.of_salt("Thermodynamic factor", usual=1.0),
        ),
        area=_a(area),
        contact_resistance=constant(v.get("Contact resistance [Ohm]", 0.0)),
        thermal=v.thermal(area),
        limits=Limits(
            _a(v["Lower voltage cut-off [V]"]), _a(v["Upper voltage cut-off [V]"])
        ),
        nominal_capacity=_a(v["Nominal cell capacity [A.h]"]),
        temperature=_a(v.T),
        published=Stoichiometry(_a(v.start("negative")), _a(v.start("positive"))),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    if v.missing or v.lost:
        parts = []
        if v.missing:
            parts.append("missing are " + ", ".join(dict.fromkeys(v.missing)))
        if v.lost:
            parts.append("naion cannot express " + ", ".join(v.lost))
        raise ValueError(f"These PyBaMM parameter values: {'; '.join(parts)}.")
    return cell


def _a(value: float):
    return jnp.asarray(float(value))


class _Values:
    """Parameter values by name; what is missing or lost is noted, not raised at once."""

    def __init__(self, values: "pybamm.ParameterValues"):
        self.values = values
        self.missing: list[str] = []
        self.lost: list[str] = []
        self.T = self.get("Reference temperature [K]", 298.15)
        self.salt = self["Initial concentration in electrolyte [mol.m-3]"]

    def __getitem__(self, name: str) -> float:
        if name not in self.values:
            self.missing.append(name)
            return 1.0
        import pybamm  # pyright: ignore[reportMissingImports]

        given = self.values[name]
        if callable(given):
            given = given(pybamm.Scalar(self.T))
        return float(self.values.evaluate(pybamm.convert_to_symbol(given)))

    def get(self, name: str, usual: float) -> float:
        return self[name] if name in self.values else usual

    def call(self, name: str, *arguments: np.ndarray) -> np.ndarray:
        """A function at arrays of equal length; numbers stay what they are."""
        import pybamm  # pyright: ignore[reportMissingImports]

        given = self.values[name]
        if not callable(given):
            return np.full(arguments[0].shape, float(self.values.evaluate(given)))
        vectors = [pybamm.Vector(a[:, None]) for a in arguments]
        count = given.__code__.co_argcount if hasattr(given, "__code__") else None
        symbol = given(*vectors[:count])
        found = self.values.process_symbol(pybamm.convert_to_symbol(symbol)).evaluate()
        return np.broadcast_to(np.ravel(found), arguments[0].shape)

    def _tabulated(self, name: str, x: np.ndarray, at: Any, beyond: Beyond) -> Property:
        """A property from `at(T)`, values at the points x and a temperature."""
        y = at(self.T)
        law = None
        ratios = {
            dT: at(self.T + dT) / np.where(y == 0.0, 1.0, y) for dT in (-15.0, 15.0)
        }
        if not all(np.allclose(r[y != 0.0], 1.0, rtol=SAME) for r in ratios.values()):
            inverse = {dT: 1.0 / self.T - 1.0 / (self.T + dT) for dT in ratios}
            energies = [
                8.314462618 * np.log(r) / inverse[dT] for dT, r in ratios.items()
            ]
            energy = float(np.median(energies))
            # PyBaMM rounds R and F.
            if not np.allclose(energies, energy, rtol=1e-3):
                self.lost.append(f"the law in temperature of {name}")
            law = Arrhenius(_a(energy), _a(self.T))
        if np.allclose(y, y[0], rtol=1e-12, atol=0.0):
            return constant(float(y[0]), law)
        return Property(
            Table(jnp.asarray(x), jnp.asarray(y), extrapolation=beyond), law
        )

    def of_salt(self, name: str, usual: float | None = None) -> Property:
        """A property of the electrolyte."""
        if name not in self.values:
            if usual is None:
                self.missing.append(name)
            return constant(1.0 if usual is None else usual)
        return self._tabulated(
            name, SALT, lambda T: self.call(name, SALT, np.full(SALT.shape, T)), "clamp"
        )

    def of_sto(self, name: str, beyond: Beyond = "clamp", usual: float | None = None):
        """A property of a particle."""
        if name not in self.values:
            if usual is None:
                self.missing.append(name)
            return constant(1.0 if usual is None else usual)
        return self._tabulated(
            name, STO, lambda T: self.call(name, STO, np.full(STO.shape, T)), beyond
        )

    def efficiency(self, domain: str) -> float:
        b = self[f"{domain} Bruggeman coefficient (electrolyte)"]
        return self[f"{domain} porosity"] ** b

    def start(self, side: str) -> float:
        c = self[f"Initial concentration in {side} electrode [mol.m-3]"]
        return c / self[f"Maximum concentration in {side} electrode [mol.m-3]"]

    def electrode(self, side: str) -> Electrode:
        name = f"{side} electrode"
        share = self[f"{name} active material volume fraction"]
        spread = share ** self.get(f"{name} Bruggeman coefficient (electrode)", 1.5)
        c_max = self[f"Maximum concentration in {side.lower()} electrode [mol.m-3]"]
        return Electrode(
            thickness=_a(self[f"{name} thickness [m]"]),
            porosity=_a(self[f"{name} porosity"]),
            active_fraction=_a(share),
            transport_efficiency=_a(self.efficiency(name)),
            conductivity=_a(self[f"{name} conductivity [S.m-1]"] * spread),
            particle=Particle(
                radius=_a(self[f"{side} particle radius [m]"]),
                c_max=_a(c_max),
                diffusivity=self.of_sto(f"{side} particle diffusivity [m2.s-1]"),
                ocp=self._ocp(f"{name} OCP [V]"),
                dudt=self.of_sto(f"{name} OCP entropic change [V.K-1]", usual=0.0),
                rate_constant=self._rate(
                    f"{name} exchange-current density [A.m-2]", c_max
                ),
                film_resistance=constant(0.0),
            ),
        )

    def _ocp(self, name: str) -> Property:
        if name not in self.values:
            self.missing.append(name)
            return constant(1.0)
        U = jnp.asarray(self.call(name, STO))
        return Property(Table(jnp.asarray(STO), U, extrapolation="linear"))

    def _rate(self, name: str, c_max: float) -> Property:
        """k_0 of j_0 = F k_0 c_max sqrt(c_e/c_e0) sqrt(x (1-x))."""
        if name not in self.values:
            self.missing.append(name)
            return constant(1.0)
        one = np.ones(STO.shape)

        def j_0(share: float, T: float) -> np.ndarray:
            salt = share * self.salt * one
            return self.call(name, salt, STO * c_max, c_max * one, T * one)

        full, half = j_0(1.0, self.T), j_0(0.5, self.T)
        if not np.allclose(half, np.sqrt(0.5) * full, rtol=1e-3):
            self.lost.append(f"the dependence on salt of {name}")
        sites = F * c_max * np.sqrt(STO * (1.0 - STO))
        k_0 = self._tabulated(name, STO, lambda T: j_0(1.0, T) / sites, "clamp")
        if isinstance(k_0.curve, Table) and np.ptp(k_0.curve.y) < 1e-6 * np.max(
            k_0.curve.y
        ):
            return constant(float(np.median(k_0.curve.y)), k_0.temperature)
        return k_0

    def thermal(self, area: float) -> Thermal:
        """Mass and heat capacity of the layers; those of the volume where there is one."""
        mass = heat = 0.0
        for domain in ("Negative electrode", "Separator", "Positive electrode"):
            density = self.get(f"{domain} density [kg.m-3]", 2000.0)
            own = density * area * self[f"{domain} thickness [m]"]
            mass += own
            heat += own * self.get(
                f"{domain} specific heat capacity [J.kg-1.K-1]", 1000.0
            )
        transfer = self.get("Total heat transfer coefficient [W.m-2.K-1]", 10.0)
        surface = self.get("Cell cooling surface area [m2]", 2.0 * area)
        return Thermal(_a(mass), _a(heat / mass), _a(transfer * surface))
