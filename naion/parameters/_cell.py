"""The cell and its parts: one immutable pytree of all physical numbers."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..mesh import Mesh
from ..physics.double_layer import DoubleLayer
from ..physics.hysteresis import Hysteresis
from ..physics.kinetics import AbstractKinetics
from ..physics.plating import Plating
from ..physics.sei import SEI
from ..physics.store import AbstractStore
from ..physics.surface import AbstractSurfaceProcess
from ..properties import Property
from ._describe import in_html, in_short, in_words
from ._names import as_given, found, named, replaced
from ._numbers import check_as
from ._range import (
    AT_MOST_ONE,
    EFFICIENCY,
    FRACTION,
    LENGTH,
    SHARE,
    TEMPERATURE,
    VOLTAGE,
    Over,
    Range,
    Rule,
    Term,
    above_zero,
    between,
    from_zero,
)
from ._roles import Role, about

Scalar = Float[Array, ""]


class Particle(eqx.Module):
    """Spherical particles of an active material.

    Attributes:
        radius: R_p [m].
        c_max: site density [mol.m-3].
        diffusivity: D_s as a function of stoichiometry [m2.s-1]; D_0 where diffusion is
            driven by the potential.
        ocp: open-circuit potential U against the metal [V].
        dudt: entropic coefficient dU/dT [V.K-1]. Where the curve of `ocp` depends on
            temperature itself (`MSMR`), it is added to that dependence.
        rate_constant: k_0 of j_0 = F k_0 c_max sqrt(c_e/c_e0) sqrt(x(1-x)), used with
            j = 2 j_0 sinh(F eta/2RT) [m.s-1]. Sets in other conventions are converted.
        film_resistance: resistance of a film on the particle surface [ohm.m2].
        hysteresis: hysteresis of the open-circuit potential, or none.
        pores: pores, or another store inside the particle that fills from it, or none.
        driven_by: "composition", or "potential" for D_s = D_0 x (1-x) F/RT (-dU/dx).
    """

    radius: Scalar = eqx.field(metadata=about(Role.DESIGN, LENGTH))
    c_max: Scalar = eqx.field(
        metadata=about(
            Role.BALANCE,
            above_zero("mol.m-3"),
            of_design=True,
            title="maximum concentration",
        )
    )
    diffusivity: Property = eqx.field(
        metadata=about(Role.TRANSPORT, Over(above_zero("m2.s-1")))
    )
    ocp: Property = eqx.field(
        metadata=about(
            Role.OPEN_CIRCUIT_POTENTIAL,
            Over(Range(unit="V")),
            title="open-circuit potential",
        )
    )
    # Tables of functions are steep at their ends: 0.11 V.K-1 in a published set.
    dudt: Property = eqx.field(
        metadata=about(
            Role.TEMPERATURE_LAW,
            Over(Range(-0.5, 0.5, unit="V.K-1")),
            title="entropic coefficient",
        )
    )
    rate_constant: Property = eqx.field(
        metadata=about(Role.KINETICS, Over(above_zero("m.s-1")))
    )
    film_resistance: Property = eqx.field(
        metadata=about(Role.RESISTANCE, Over(from_zero("ohm.m2")))
    )
    hysteresis: Hysteresis | None = eqx.field(
        metadata=about(Role.HYSTERESIS), default=None
    )
    pores: AbstractStore | None = eqx.field(
        metadata=about(Role.TRANSPORT), default=None
    )
    driven_by: Literal["composition", "potential"] = eqx.field(
        static=True, default="composition"
    )


class Material(eqx.Module):
    """A further active material, or particle size, of a blended electrode.

    Attributes:
        active_fraction: its volume fraction in the electrode [-].
        particle: its particles.
    """

    active_fraction: Scalar = eqx.field(
        metadata=about(Role.BALANCE, FRACTION, of_design=True)
    )
    particle: Particle


class Electrode(eqx.Module):
    """Porous electrode.

    Attributes:
        thickness: [m].
        porosity: volume fraction of electrolyte [-].
        active_fraction: volume fraction of active material [-].
        transport_efficiency: effective over bulk transport in the liquid, B [-].
        conductivity: effective electronic conductivity [S.m-1].
        particle: the active material.
        plating: plating of the metal, or none.
        sei: a growing film (SEI), or none.
        double_layer: double layer of the particle surfaces, or none.
        surface: further processes at the particle surfaces.
        others: further active materials or particle sizes.
        kinetics: form of its charge-transfer kinetics; none: that of the cell.
    """

    thickness: Scalar = eqx.field(metadata=about(Role.DESIGN, LENGTH, of_design=True))
    porosity: Scalar = eqx.field(metadata=about(Role.DESIGN, FRACTION, of_design=True))
    active_fraction: Scalar = eqx.field(
        metadata=about(
            Role.BALANCE,
            FRACTION,
            of_design=True,
            rule=Rule(
                "porosity + active fractions",
                lambda e: (
                    Term(e.porosity),
                    Term(e.active_fraction),
                    *(Term(m.active_fraction) for m in e.others),
                ),
                AT_MOST_ONE,
            ),
        )
    )
    transport_efficiency: Scalar = eqx.field(
        metadata=about(Role.TRANSPORT, EFFICIENCY, of_design=True)
    )
    conductivity: Scalar = eqx.field(
        metadata=about(Role.TRANSPORT, above_zero("S.m-1"))
    )
    particle: Particle
    plating: Plating | None = eqx.field(metadata=about(Role.KINETICS), default=None)
    sei: SEI | None = eqx.field(metadata=about(Role.KINETICS), default=None)
    double_layer: DoubleLayer | None = eqx.field(
        metadata=about(Role.KINETICS), default=None
    )
    surface: tuple[AbstractSurfaceProcess, ...] = eqx.field(
        metadata=about(Role.KINETICS), default=()
    )
    others: tuple[Material, ...] = ()
    kinetics: AbstractKinetics | None = eqx.field(
        metadata=about(Role.KINETICS), default=None
    )

    @property
    def interface(self) -> Array:
        """Specific interface a = 3 active_fraction / R_p, of the first material [m-1]."""
        return 3.0 * self.active_fraction / self.particle.radius

    @property
    def processes(self) -> tuple[AbstractSurfaceProcess, ...]:
        """All processes at the surfaces of its first material."""
        named = self.particle.hysteresis, self.plating, self.sei, self.double_layer
        return (*(p for p in named if p is not None), *self.surface)

    @property
    def materials(self) -> "tuple[Electrode, ...]":
        """The electrode with one of its active materials alone, for each of them."""
        rest = [(m.active_fraction, m.particle) for m in self.others]
        every = [(self.active_fraction, self.particle), *rest]
        return tuple(
            dataclasses.replace(self, active_fraction=f, particle=p, others=())
            for f, p in every
        )


class Separator(eqx.Module):
    """Porous separator.

    Attributes:
        thickness: [m].
        porosity: volume fraction of electrolyte [-].
        transport_efficiency: effective over bulk transport, B [-].
        reference: distance of a reference electrode from the negative electrode over the
            thickness; none: in the middle [-].
    """

    thickness: Scalar = eqx.field(metadata=about(Role.DESIGN, LENGTH, of_design=True))
    # One: a separator that is not resolved, in a published set.
    porosity: Scalar = eqx.field(
        metadata=about(Role.DESIGN, EFFICIENCY, of_design=True)
    )
    transport_efficiency: Scalar = eqx.field(
        metadata=about(Role.TRANSPORT, EFFICIENCY, of_design=True)
    )
    reference: Scalar | None = eqx.field(
        metadata=about(Role.DESIGN, SHARE, title="position of reference electrode"),
        default=None,
    )


class Electrolyte(eqx.Module):
    """Binary electrolyte; properties are functions of salt concentration [mol.m-3].

    Attributes:
        concentration: initial salt concentration c_e0 [mol.m-3].
        conductivity: kappa [S.m-1].
        diffusivity: D_e [m2.s-1].
        t_plus: cation transference number [-].
        thermodynamic_factor: chi = 1 + dln f/dln c [-].
    """

    concentration: Scalar = eqx.field(metadata=about(range=above_zero("mol.m-3")))
    conductivity: Property = eqx.field(
        metadata=about(range=Over(above_zero("S.m-1"), "salt"))
    )
    diffusivity: Property = eqx.field(
        metadata=about(range=Over(above_zero("m2.s-1"), "salt"))
    )
    # Below zero in published sets, where salt is high and ions pair.
    t_plus: Property = eqx.field(
        metadata=about(
            range=Over(between(-1.0, 1.0), "initial salt"),
            title="cation transference number",
        )
    )
    thermodynamic_factor: Property = eqx.field(
        metadata=about(range=Over(above_zero(), "initial salt"))
    )


class ThroughPlane(eqx.Module):
    """Heat conduction through the stack of layers, from one face of the cell to the other.

    Attributes:
        conductance: conductance of the whole stack, lambda_z A_face / H [W.K-1].
        first: share of the cell's cooling at the first face, 0 to 1.
        last: share at the other face; the rest is at the edges, equal for all layers.
    """

    conductance: Scalar = eqx.field(metadata=about(range=above_zero("W.K-1")))
    first: Scalar = eqx.field(
        metadata=about(range=SHARE, title="cooling at first face")
    )
    last: Scalar = eqx.field(
        metadata=about(
            range=SHARE,
            title="cooling at last face",
            rule=Rule(
                "first + last", lambda t: (Term(t.first), Term(t.last)), AT_MOST_ONE
            ),
        )
    )


class Thermal(eqx.Module):
    """Heat balance of the cell.

    Attributes:
        mass: mass of the cell [kg].
        specific_heat: specific heat capacity of the cell [J.kg-1.K-1].
        cooling: heat transfer coefficient times cooled area, h A [W.K-1].
        through_plane: conduction through the stack, for the model `ThroughStack`, or none.
    """

    mass: Scalar = eqx.field(
        metadata=about(Role.DESIGN, above_zero("kg"), of_design=True)
    )
    specific_heat: Scalar = eqx.field(
        metadata=about(Role.HEAT, above_zero("J.kg-1.K-1"))
    )
    cooling: Scalar = eqx.field(
        metadata=about(Role.HEAT, from_zero("W.K-1"), of_design=True)
    )
    through_plane: ThroughPlane | None = eqx.field(
        metadata=about(Role.HEAT), default=None
    )


class Limits(eqx.Module):
    """Voltage window of the cell [V]."""

    lower_voltage: Scalar = eqx.field(
        metadata=about(range=VOLTAGE, title="lower voltage limit")
    )
    upper_voltage: Scalar = eqx.field(
        metadata=about(
            range=VOLTAGE,
            title="upper voltage limit",
            rule=Rule(
                "upper_voltage - lower_voltage",
                lambda limits: (
                    Term(limits.upper_voltage),
                    Term(limits.lower_voltage, -1.0),
                ),
                above_zero("V"),
            ),
        )
    )


class Stoichiometry(eqx.Module):
    """Uniform stoichiometries of both electrodes [-]."""

    negative: Scalar = eqx.field(metadata=about(range=FRACTION))
    positive: Scalar = eqx.field(metadata=about(range=FRACTION))


class Defaults(eqx.Module):
    """Mesh and heat balance of a cell's simulations, unless others are asked for.

    Attributes:
        mesh: grid counts, from `suited_mesh` or from the fit that found the cell.
        thermal: heat balance, "isothermal" or "lumped".
    """

    mesh: Mesh = Mesh()
    thermal: Literal["isothermal", "lumped"] = eqx.field(
        static=True, default="isothermal"
    )


class Cell(eqx.Module):
    """A cell: physics, geometry, mass and limits.

    Attributes:
        negative: negative electrode.
        separator: separator.
        positive: positive electrode.
        electrolyte: electrolyte.
        area: coated area of all electrode sides that face each other [m2].
        contact_resistance: resistance of tabs, foils and contacts [ohm]; a function of
            temperature.
        thermal: lumped heat balance, and the mass of the cell.
        limits: voltage window.
        nominal_capacity: charge of one hour at 1C [A.h].
        temperature: reference temperature, at which the data were taken [K]. Potentials
            are given at it, and simulations run at it unless another is asked for.
        published: state as published, mostly charged, in which an imported file starts.
            It defines the sodium in the cell.
        kinetics: form of charge-transfer kinetics.
        defaults: mesh and heat balance of its simulations.
    """

    negative: Electrode
    separator: Separator
    positive: Electrode
    electrolyte: Electrolyte = eqx.field(metadata=about(Role.TRANSPORT))
    area: Scalar = eqx.field(
        metadata=about(
            Role.DESIGN, above_zero("m2"), of_design=True, title="electrode area"
        )
    )
    contact_resistance: Property = eqx.field(
        metadata=about(Role.RESISTANCE, Over(from_zero("ohm")))
    )
    thermal: Thermal
    limits: Limits = eqx.field(metadata=about(Role.DESIGN))
    nominal_capacity: Scalar = eqx.field(
        metadata=about(Role.DESIGN, above_zero("A.h"), of_design=True)
    )
    temperature: Scalar = eqx.field(
        metadata=about(Role.TEMPERATURE_LAW, TEMPERATURE, title="reference temperature")
    )
    published: Stoichiometry = eqx.field(
        metadata=about(Role.BALANCE, of_design=True, title="published stoichiometry")
    )
    kinetics: AbstractKinetics = eqx.field(metadata=about(Role.KINETICS))
    defaults: Defaults = Defaults()

    def with_(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> "Cell":
        """The cell with other numbers, by their readable names and in SI.

            cell.with_({"Negative electrode thickness [m]": 60e-6})
            cell.with_({"Positive particle diffusivity [m2.s-1]": 1e-15})
            cell.with_(nominal_capacity=1.4)

        Differentiable, and JAX may trace the values.

        Args:
            values: new values by name: names of `keys`, dotted paths, or names of PyBaMM.
                A value is a number. For a curve it can also be two columns (x, y) or a
                curve of `naion.properties`, which keep the present temperature law, or a
                whole `Property`.
            more: the same, as keywords.

        Raises:
            KeyError: for an unknown name, with the nearest ones.
            TypeError: for what is not a number, naming it, or no dictionary of names.
            ValueError: for impossible numbers, see `check`, or a number given twice.
        """
        if not isinstance(values, Mapping | None):
            raise TypeError(
                f"with_ got a {type(values).__name__}: expected values by name, such as "
                '`cell.with_({"Negative electrode thickness [m]": 60e-6})`.'
            )
        new, met = self, {}
        for name, value in [*(values or {}).items(), *more.items()]:
            there = found(self, name)
            if there.path in met:
                raise ValueError(
                    f"{met[there.path]!r} and {name!r} are the same number; give one."
                )
            met[there.path] = name
            value = as_given(there, value, jnp.shape(self.area))
            new = replaced(new, there.path, value)
        check_as(new, Cell)
        return new

    def __getitem__(self, name: str) -> Any:
        """A number in SI, or a property, by its readable name: see `keys`.

        Raises:
            KeyError: for an unknown name, with the nearest ones.
        """
        return found(self, name).value

    def keys(self) -> list[str]:
        """Readable names of all numbers and curves."""
        return [n.name for n in named(self)]

    def search(self, text: str) -> list[str]:
        """Readable names that contain a text, in any case."""
        return [name for name in self.keys() if text.lower() in name.lower()]

    def __str__(self) -> str:
        return in_words(self)

    def __repr__(self) -> str:
        return in_short(self)

    def _repr_html_(self) -> str:
        """The table of numbers for notebooks, with plots of the curves."""
        return in_html(self)

    def layer(self, n: int) -> "Cell":
        """One of n equal layers, of which the cell consists, in parallel."""
        resistance, thermal = self.contact_resistance, self.thermal
        return dataclasses.replace(
            self,
            area=self.area / n,
            nominal_capacity=self.nominal_capacity / n,
            contact_resistance=dataclasses.replace(
                resistance, scale=resistance.scale * n
            ),
            thermal=Thermal(
                thermal.mass / n, thermal.specific_heat, thermal.cooling / n
            ),
        )
