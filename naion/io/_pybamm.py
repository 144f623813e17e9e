"""Cells from PyBaMM parameter values. Needs the extra `naion[pybamm]`."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from .._cautions import caution
from ..parameters import (
    Cell,
    Electrode,
    Electrolyte,
    Hysteresis,
    Limits,
    Material,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
    check,
    doubts_of,
    metal_electrode,
    with_suited_mesh,
)
from ..physics.kinetics import ButlerVolmer, MetalButlerVolmer
from ..properties import AbstractCurve, Constant, Property, Table, Walled, constant
from ._branches import hysteresis, with_thresholds
from ._pybamm_values import SALT, STO, Values

if TYPE_CHECKING:
    import pybamm  # pyright: ignore[reportMissingImports]

DOMAINS = ("Negative electrode", "Separator", "Positive electrode")
PHASES = ("Primary: ", "Secondary: ")

METAL = "Exchange-current density for lithium metal electrode [A.m-2]"
"""What sets of half cells have and others have not."""

WALL = 1.0 / 6910.0
"""Width of the walls of PyBaMM's potentials: 1 V where a host is empty or full, 1 mV at a
thousandth from there."""

COLLECTORS = {"Negative": (8960.0, 385.0), "Positive": (2700.0, 897.0)}
"""Densities and specific heats of copper and aluminium [kg.m-3, J.kg-1.K-1]."""

DENSITY, SPECIFIC_HEAT, COOLING = 2000.0, 1000.0, 10.0
"""Of layers and cells that do not say [kg.m-3, J.kg-1.K-1, W.m-2.K-1]."""

COLDEST, HOTTEST = 150.0, 500.0
"""Temperatures that can be in kelvin [K]."""

UNEQUAL = 5e-3
"""Between the potentials of a blend at the start, from where it is worth a word [V]."""


def from_pybamm(
    values: "pybamm.ParameterValues", temperature: float | None = None
) -> Cell:
    """The cell of a PyBaMM parameter set for a Doyle-Fuller-Newman model.

    Functions are tabulated and continued by monotone cubics. Laws in temperature of
    Arrhenius form are kept with their reference temperature; all others are frozen at
    `temperature`, and a caution names them. Composite electrodes become blends. Heat
    capacity, mass and cooling are those of PyBaMM's lumped model, of the layers with
    current collectors in "Cell volume [m3]" (of the layers themselves where there is none);
    solid conductivities are effective, sigma (1 - porosity)^b, at stoichiometry 0.5.
    Sets of half cells ("working electrode": "positive") become half cells, see
    `naion.half_cell`.
    Potentials of lithiation and delithiation become a `Hysteresis` where the values have
    a decay rate for them (`_branches.hysteresis` has the conversion); else "OCP [V]" is
    used. Ageing parameters are ignored.

    Args:
        values: such as `pybamm.ParameterValues("Chen2020")`.
        temperature: at which the cell is going to be used [K]: its own, and that of laws
            which are frozen. None: the values' ambient temperature.

    Raises:
        TypeError: for anything but parameter values.
        ValueError: for sets that are not of full lithium- or sodium-ion cells, listing
            what is missing or what naion cannot express.
    """
    _check_kind(values)
    v = Values(values)
    importer = _Importer(v, temperature)
    cell = importer.cell()
    parts = []
    if v.missing:
        parts.append("missing are " + ", ".join(dict.fromkeys(v.missing)))
    if v.unusable:
        parts.append("naion cannot use " + ", ".join(v.unusable))
    if parts:
        raise ValueError(f"These PyBaMM parameter values: {'; '.join(parts)}.")
    check(cell)
    cell = with_suited_mesh(cell)
    if v.frozen:
        caution(
            f"PyBaMM parameter values: frozen at {v.T:g} K, since naion cannot express "
            f"how they depend on it: {', '.join(v.frozen)}."
        )
    for text in (*importer.cautions, *importer.of_start(cell)):
        caution(f"PyBaMM parameter values: {text}")
    return cell


def _check_kind(values: Any) -> None:
    """Only full cells whose electrodes are single potentials go on."""
    import pybamm  # pyright: ignore[reportMissingImports]

    if not isinstance(values, pybamm.ParameterValues):
        hint = f"; use pybamm.ParameterValues({values!r})" * isinstance(values, str)
        raise TypeError(
            f"Expected a pybamm.ParameterValues, got a {type(values).__name__}{hint}."
        )

    def has(name: str) -> bool:
        return any(f"{phase}{name}" in values for phase in ("", PHASES[0]))

    kinds = {
        "an equivalent circuit": "R0 [Ohm]" in values,
        "a lead-acid cell": "Molar volume of lead [m3.mol-1]" in values
        or "Maximum porosity of negative electrode" in values,
        "an MSMR model (host sites instead of potentials; naion.properties.MSMR is a "
        "curve for such an electrode)": not has("Negative electrode OCP [V]")
        and "Number of reactions in negative electrode" in values,
    }
    for kind, so in kinds.items():
        if so:
            raise ValueError(
                f"These PyBaMM parameter values are of {kind}; from_pybamm imports full "
                "and half cells whose insertion electrodes have an 'OCP [V]' each."
            )


def _a(value: float):
    return jnp.asarray(float(value))


class _Importer:
    """Parameter values on their way to a cell."""

    def __init__(self, v: Values, temperature: float | None):
        self.v, self.cautions = v, v.cautions
        series = v.number("Number of cells connected in series to make a battery", 1.0)
        if series != 1.0:
            raise ValueError(
                f"These PyBaMM parameter values are of a battery of {series:g} cells in "
                "series, and a naion Cell is one cell: set 'Number of cells connected in "
                "series to make a battery' to 1, and build the battery with naion.Pack."
            )
        v.T = self._temperature(temperature)
        self.salt = v.number("Initial concentration in electrolyte [mol.m-3]")
        self.thick = {name: v.number(f"{name} thickness [m]") for name in DOMAINS}
        self.x = np.linspace(0.0, sum(self.thick.values()), 13)

    def _temperature(self, given: float | None) -> float:
        v = self.v
        name = "Ambient temperature [K]"
        initial = v.number("Initial temperature [K]", v.T_ref)
        ambient = initial
        if name in v:
            times = np.array([0.0, 60.0, 3600.0, 86400.0])
            over = v.call(name, 0.0, 0.0, times)
            ambient = float(over[0])
            if given is None and np.ptp(over) > 0.0:
                self.cautions.append(
                    f"{name!r} is a function of time; only its start of {ambient:g} K is "
                    "used: give naion.simulate the temperatures of the steps."
                )
        T = ambient if given is None else float(given)
        if not COLDEST <= T <= HOTTEST:
            raise ValueError(
                f"temperature is {T:g}; expected kelvin between {COLDEST:g} and "
                f"{HOTTEST:g} (25 degC is 298.15)."
            )
        if given is None and initial != ambient:
            self.cautions.append(
                f"'Initial temperature [K]' of {initial:g} K is not used: a simulation "
                f"starts at the ambient {ambient:g} K."
            )
        return T

    def cell(self) -> Cell:
        v = self.v
        area = v.number("Electrode height [m]") * v.number("Electrode width [m]")
        area *= v.number("Number of electrodes connected in parallel to make a cell")
        positive, x_p = self.electrode("Positive")
        if METAL in v:
            negative, x_n = metal_electrode(positive, self.metal()), 0.5
        else:
            negative, x_n = self.electrode("Negative")
        cell = Cell(
            negative=negative,
            separator=Separator(
                thickness=_a(self.thick["Separator"]),
                porosity=_a(self.porosity("Separator")),
                transport_efficiency=_a(self.efficiency("Separator")),
            ),
            positive=positive,
            electrolyte=Electrolyte(
                concentration=_a(self.salt),
                conductivity=v.of_salt("Electrolyte conductivity [S.m-1]"),
                diffusivity=v.of_salt("Electrolyte diffusivity [m2.s-1]"),
                t_plus=v.of_salt("Cation transference number"),
                thermodynamic_factor=v.of_salt("Thermodynamic factor", usual=1.0),
            ),
            area=_a(area),
            contact_resistance=v.resistance("Contact resistance [Ohm]"),
            thermal=self.thermal(area),
            limits=Limits(
                _a(v.number("Lower voltage cut-off [V]")),
                _a(v.number("Upper voltage cut-off [V]")),
            ),
            nominal_capacity=_a(v.number("Nominal cell capacity [A.h]")),
            temperature=_a(v.T),
            published=Stoichiometry(_a(x_n), _a(x_p)),
            kinetics=ButlerVolmer(),
        )
        self.check_window(cell)
        return with_thresholds(cell)

    def metal(self) -> MetalButlerVolmer:
        """Kinetics of the metal of a half cell."""
        v = self.v
        sites = 1.0 / v.number("Lithium metal partial molar volume [m3.mol-1]", 1.3e-5)
        return MetalButlerVolmer(
            v.tabulated(METAL, SALT, lambda T: v.call(METAL, SALT, sites, T))
        )

    def check_window(self, cell: Cell) -> None:
        """PyBaMM's states of charge may have other ends than the voltage limits."""
        for name, limit in (
            ("Open-circuit voltage at 0% SOC [V]", cell.limits.lower_voltage),
            ("Open-circuit voltage at 100% SOC [V]", cell.limits.upper_voltage),
        ):
            V = self.v.number(name, float(limit))
            if abs(V - float(limit)) > 1e-9:
                self.cautions.append(
                    f"{name!r} is {V:g} V, which is not used: naion's states of charge "
                    f"end at the voltage limits, here {float(limit):g} V."
                )

    def of_start(self, cell: Cell) -> list[str]:
        """Cautions of the published state, and of numbers in other units."""
        return doubts_of(cell, {"the initial state": cell.published})

    def porosity(self, domain: str) -> float:
        return self.v.uniform(f"{domain} porosity", self.x, 0.0 * self.x, 0.0 * self.x)

    def efficiency(self, domain: str) -> float:
        b = self.v.number(f"{domain} Bruggeman coefficient (electrolyte)")
        return self.porosity(domain) ** b

    def phases(self, side: str) -> tuple[str, ...]:
        """Prefixes of the names of an electrode's active materials."""
        name = f"Maximum concentration in {side.lower()} electrode [mol.m-3]"
        found = tuple(phase for phase in PHASES if f"{phase}{name}" in self.v)
        return found or ("",)

    def electrode(self, side: str) -> tuple[Electrode, float]:
        """An electrode and its mean initial stoichiometry."""
        v, name, phases = self.v, f"{side} electrode", self.phases(side)
        materials, starts, potentials, sites = [], [], [], []
        for phase in phases:
            share = v.uniform(
                f"{phase}{name} active material volume fraction",
                self.x,
                0.0 * self.x,
                0.0 * self.x,
            )
            particle, x = self.particle(side, phase, len(phases) > 1)
            materials.append(Material(_a(share), particle))
            starts.append(x)
            potentials.append(float(particle.ocp(_a(x), _a(v.T))))
            sites.append(share * float(particle.c_max))
        if np.ptp(potentials) > UNEQUAL:
            each = ", ".join(f"{U:.3f} V" for U in potentials)
            self.cautions.append(
                f"the materials of the {name.lower()} have different potentials at their "
                f"initial concentrations ({each}); naion starts from their equilibrium "
                "with the same content."
            )
        sigma = v.conductivity(f"{name} conductivity [S.m-1]")
        b = v.number(f"{name} Bruggeman coefficient (electrode)", 1.5)
        porosity = self.porosity(name)
        first, *others = materials
        electrode = Electrode(
            thickness=_a(self.thick[name]),
            porosity=_a(porosity),
            active_fraction=first.active_fraction,
            transport_efficiency=_a(self.efficiency(name)),
            conductivity=_a(sigma * (1.0 - porosity) ** b),
            particle=first.particle,
            others=tuple(others),
        )
        return electrode, float(np.average(starts, weights=sites))

    def particle(self, side: str, phase: str, blended: bool) -> tuple[Particle, float]:
        """An active material and its initial stoichiometry."""
        v, name = self.v, f"{phase}{side} electrode"
        sites = f"in {side.lower()} electrode [mol.m-3]"
        c_max = v.number(f"{phase}Maximum concentration {sites}")
        radius = np.linspace(0.0, 1e-6, 13)
        c_0 = v.uniform(f"{phase}Initial concentration {sites}", radius, self.x)
        entropy = f"{name} OCP entropic change [V.K-1]"
        dudt = v.of_sto_alone(entropy, usual=0.0)
        U, H = self.potential(side, phase)
        ocp: AbstractCurve = Table(
            jnp.asarray(STO),
            jnp.asarray(U + (v.T - v.T_ref) * dudt),
            extrapolation="linear",
        )
        if blended:
            # Without its wall, a host that is full has no equilibrium with another.
            ocp = Walled(ocp, _a(WALL))
        particle = Particle(
            radius=_a(v.uniform(f"{phase}{side} particle radius [m]", self.x)),
            c_max=_a(c_max),
            diffusivity=v.of_sto(f"{phase}{side} particle diffusivity [m2.s-1]"),
            ocp=Property(ocp),
            dudt=_property(dudt),
            rate_constant=v.rate(
                f"{name} exchange-current density [A.m-2]", c_max, self.salt
            ),
            film_resistance=constant(0.0),
            hysteresis=H,
        )
        return particle, c_0 / c_max

    def potential(self, side: str, phase: str) -> tuple[np.ndarray, Hysteresis | None]:
        """At the reference temperature and `STO`, with its hysteresis."""
        v, name = self.v, f"{phase}{side} electrode"
        branches = [f"{name} {k}lithiation OCP [V]" for k in ("de", "")]
        rates = self.rates(f"{phase}{side} particle")
        there = [b for b in branches if b in v]
        if not there:
            return v.of_sto_alone(f"{name} OCP [V]"), None
        if not rates:
            self.cautions.append(
                f"{' and '.join(map(repr, there))} not used, as there is no "
                f"'{phase}{side} particle hysteresis decay rate'; {name} OCP [V] is."
            )
            return v.of_sto_alone(f"{name} OCP [V]"), None
        up, down = (v.of_sto_alone(b) for b in branches)
        start = f"{phase}Initial hysteresis state in {side.lower()} electrode"
        initial = v.uniform(start, self.x) if start in v else 0.0
        if np.ptp(rates) > 1e-9 * np.max(np.abs(rates)):
            self.cautions.append(
                f"the {phase}{side.lower()} particle's hysteresis has decay rates of "
                f"{np.min(rates):g} to {np.max(rates):g}; naion has one for both "
                f"directions and all stoichiometries: {np.mean(rates):g} is used."
            )
        H = hysteresis(_property(0.5 * (up - down)), float(np.mean(rates)), initial)
        return 0.5 * (up + down), H

    def rates(self, particle: str) -> list[float]:
        """Decay rates of both directions, over stoichiometry; none where there are none."""
        v = self.v
        usual = f"{particle} hysteresis decay rate"
        names = [f"{particle} {k}lithiation hysteresis decay rate" for k in ("de", "")]
        names = [n for n in names if n in v]
        if not names and usual in v:
            factor = f"{particle} hysteresis switching factor"
            if v.number(factor, 0.0) != 0.0:
                v.unusable.append(
                    f"{factor} (naion's hysteresis does not depend on differential "
                    "capacity; 0 it can be)"
                )
            names = [usual]
        middle = np.linspace(0.05, 0.95, 19)
        return [float(r) for n in names for r in v.call(n, middle, v.T)]

    def thermal(self, area: float) -> Thermal:
        """Mass, heat capacity and cooling of PyBaMM's lumped model."""
        v = self.v
        layers = [
            (self.thick[name], *self.layer(name, (DENSITY, SPECIFIC_HEAT)))
            for name in DOMAINS
        ]
        for side, metal in COLLECTORS.items():
            name = f"{side} current collector"
            thickness = v.number(f"{name} thickness [m]", 0.0)
            layers.append((thickness, *self.layer(name, metal)))
        thick, density, c_p = np.array(layers).T
        whole = float(np.sum(thick))
        volume = v.number("Cell volume [m3]", area * whole)
        mass = volume * float(np.sum(thick * density)) / whole
        capacity = volume * float(np.sum(thick * density * c_p)) / whole
        transfer = v.number("Total heat transfer coefficient [W.m-2.K-1]", COOLING)
        surface = v.number("Cell cooling surface area [m2]", 2.0 * area)
        return Thermal(_a(mass), _a(capacity / mass), _a(transfer * surface))

    def layer(self, name: str, usual: tuple[float, float]) -> tuple[float, float]:
        """Density and specific heat; of a blend, the mean over its materials' volumes."""
        v, found = self.v, []
        share = f"{name} active material volume fraction"
        for what, value in zip(
            ("density [kg.m-3]", "specific heat capacity [J.kg-1.K-1]"),
            usual,
            strict=True,
        ):
            phases = [p for p in PHASES if f"{p}{name} {what}" in v]
            if f"{name} {what}" in v or not phases:
                found.append(v.of_temperature(f"{name} {what}", value))
                continue
            each = [v.of_temperature(f"{p}{name} {what}", value) for p in phases]
            zero = np.zeros(1)
            weights = [float(v.uniform(p + share, zero, zero, zero)) for p in phases]
            found.append(float(np.average(each, weights=weights)))
        return found[0], found[1]


def _property(y: np.ndarray) -> Property:
    """Values at `STO`, as a number where they are all the same."""
    if np.allclose(y, y[0], rtol=1e-12, atol=0.0):
        return Property(Constant(_a(y[0])))
    return Property(Table(jnp.asarray(STO), jnp.asarray(y), extrapolation="clamp"))
