"""Sets put together from teardowns, half-cell curves and assumptions.

What such sets have in common is here: the form of every property, one activation energy
for each process, the electrolyte. Each set gives its geometry and its materials. They are
starting points for fits and for questions of the kind "how much would it matter", not
cells: about half of their numbers are assumed, and carry ranges.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from ..._constants import F, R
from ...physics.kinetics import ButlerVolmer
from ...properties import VTF, Arrhenius, PowerExponential, Property, Table
from .._cell import (
    Cell,
    Electrode,
    Electrolyte,
    Limits,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
)
from .._registry import ParameterSet
from .._sourced import Quality
from ._recorder import Follows, Range, Recorder, Valid, read_table

T_REF = 298.15
PULSES = 288.15, 318.15
"""Of the pulses whose resistances gave the energies of charge transfer and contacts [K]."""

LIQUID = 253.15, 323.15
"""For which conductivities of sodium electrolytes are published [K]: to -20 degC those of
commercial ones, to 50 degC J. Electrochem. Soc. 168 (2021) 040538."""

HC_TABLE = "../nvpf_hc_chayambuka2022/hc_diffusivity.csv"
HC_C_MAX = 14540.0
"""Site density of the set that the table of hard carbon's diffusivity is from."""


class Given(NamedTuple):
    """A number of a design; see `Sourced` for the meaning of each entry."""

    value: float
    quality: Quality
    source: str
    range: Range = None


class Coat(NamedTuple):
    """An electrode of a constructed set.

    Attributes:
        thickness: [m].
        porosity: [-].
        active_fraction: [-].
        radius: of the particles [m].
        c_max: site density [mol.m-3].
        conductivity: electronic, of the active material with its additives [S.m-1].
        charge_transfer: resistance at mid composition, per area of electrode [ohm.m2];
            its range holds whatever the radius is.
        diffusivity: [m2.s-1], or the factor on the table of hard carbon. The range is that
            of the diffusion time R^2 / D: what a diffusivity is, is only known with the
            radius that it was found with.
        ocp: file, and source, of our own fit to a half-cell curve.
        window: stoichiometry at which the file's 0 lies, and length of its unit.
        dudt: file of the entropic coefficient, and source; none: zero, assumed.
    """

    thickness: Given
    porosity: Given
    active_fraction: Given
    radius: Given
    c_max: Given
    conductivity: Given
    charge_transfer: Given
    diffusivity: Given
    ocp: tuple[str, str]
    window: tuple[float, float] = (0.0, 1.0)
    dudt: tuple[str, str] | None = None


class Design(NamedTuple):
    """A constructed cell; see `Cell` for the meaning of each entry."""

    title: str
    negative: Coat
    positive: Coat
    separator: Given
    area: Given
    contact_resistance: Given
    mass: Given
    cooling: Given
    window: tuple[Given, Given]
    nominal_capacity: Given
    charged: tuple[Given, Given]
    charge_transfer_energy: Given = Given(
        67e3,
        "A",
        "as of a commercial O3 / hard carbon 18650; literature 35-107 kJ/mol",
        (35e3, 100e3),
    )
    contact_energy: Given = Given(-25e3, "A", "20-30 kJ/mol", (-40e3, -10e3))


def build(package: str, design: Design) -> ParameterSet:
    """The set of a design; tables lie in `package`."""
    d, n, a = design, Recorder(package), jnp.asarray
    name = package.rpartition(".")[2]

    def number(path: str, given: Given, unit: str) -> Array:
        return n(path, given.value, unit, *given[1:])

    def arrhenius(path: str, energy: Given) -> Arrhenius:
        return Arrhenius(number(f"{path}.energy", energy, "J.mol-1"), a(T_REF))

    def property_(
        path: str,
        given: Given,
        unit: str,
        law: Arrhenius,
        follows: Follows = None,
        *,
        valid: Valid = None,
    ) -> Property:
        value, quality, source, between = given
        return n.constant(
            path, value, unit, quality, source, law, between, follows, valid=valid
        )

    def efficiency(path: str, porosity: float):
        """Bruggeman's relation with an exponent of 1.5 to 2.3."""
        return n(
            f"{path}.transport_efficiency",
            porosity**1.8,
            "-",
            "A",
            "porosity^1.8",
            (porosity**2.3, porosity**1.5),
        )

    def electrode(side: str, coat: Coat) -> Electrode:
        p = f"{side}.particle"
        s, asr = coat.active_fraction.value, coat.charge_transfer
        interface = 3.0 * s / coat.radius.value

        def k_0(asr: float) -> float:
            j_0 = R * T_REF / (F * asr * interface * coat.thickness.value)
            return 2.0 * j_0 / (F * coat.c_max.value)

        slow = arrhenius(
            f"{p}.diffusivity.temperature",
            Given(30e3, "A", "reported from 16 to 55 kJ/mol", (16e3, 55e3)),
        )
        factor = coat.diffusivity.value
        if factor > 1.0:
            text = f"{factor:g} x {HC_TABLE.removeprefix('../')}"
            n.note(
                f"{p}.diffusivity",
                text,
                "m2.s-1",
                *coat.diffusivity[1:],
                follows=(f"{p}.radius", 2.0),
            )
            c_s, D_s = read_table(package, HC_TABLE)
            curve = Table(a(c_s / HC_C_MAX), a(factor * D_s), extrapolation="clamp")
            diffusivity = Property(curve, slow)
        else:
            diffusivity = property_(
                f"{p}.diffusivity",
                coat.diffusivity,
                "m2.s-1",
                slow,
                follows=(f"{p}.radius", 2.0),
            )
        offset, scale = coat.window
        if coat.dudt is None:
            dudt = n.constant(
                f"{p}.dudt",
                0.0,
                "V.K-1",
                "A",
                "not known; hard carbon +0.09, NVP -0.15 mV/K (Wei et al. 2022)",
                range=(-4e-4, 2e-4),
            )
        else:
            file, text = coat.dudt
            dudt = n.table(
                f"{p}.dudt",
                file,
                "V.K-1",
                "D",
                text,
                x_offset=offset,
                x_scale=scale,
                extrapolation="clamp",
            )
        file, text = coat.ocp
        sigma, quality, source, between = coat.conductivity
        effective = s**1.5
        return Electrode(
            thickness=number(f"{side}.thickness", coat.thickness, "m"),
            porosity=number(f"{side}.porosity", coat.porosity, "-"),
            active_fraction=number(
                f"{side}.active_fraction", coat.active_fraction, "-"
            ),
            transport_efficiency=efficiency(side, coat.porosity.value),
            conductivity=n(
                f"{side}.conductivity",
                sigma * effective,
                "S.m-1",
                quality,
                f"{sigma:g} S/m times active_fraction^1.5: {source}",
                between and (between[0] * effective, between[1] * effective),
            ),
            particle=Particle(
                radius=number(f"{p}.radius", coat.radius, "m"),
                c_max=number(f"{p}.c_max", coat.c_max, "mol.m-3"),
                diffusivity=diffusivity,
                ocp=n.table(
                    f"{p}.ocp", file, "V", "F", text, x_offset=offset, x_scale=scale
                ),
                dudt=dudt,
                rate_constant=n.constant(
                    f"{p}.rate_constant",
                    k_0(asr.value),
                    "m.s-1",
                    asr.quality,
                    f"{1e4 * asr.value:g} ohm.cm2 of charge transfer at x = 0.5: "
                    f"{asr.source}",
                    arrhenius(
                        f"{p}.rate_constant.temperature", d.charge_transfer_energy
                    ),
                    asr.range and (k_0(asr.range[1]), k_0(asr.range[0])),
                    (f"{p}.radius", 1.0),
                    valid=PULSES,
                ),
                film_resistance=n.constant(
                    f"{p}.film_resistance",
                    0.0,
                    "ohm.m2",
                    "A",
                    "in the contact resistance",
                    range=(0.0, 1e-2),
                ),
            ),
        )

    def vtf(times_temperature: bool) -> VTF:
        return VTF(a(420.0), a(150.0), a(T_REF), times_temperature)

    law = "low-temperature carbonate: T_0 150 K, B 420 K"
    n.note(
        "electrolyte.conductivity",
        "0.95 m exp(0.9 (1-m)) VTF, m = c/1000",
        "S.m-1",
        "A",
        law,
        (0.6, 1.4),
    )
    n.note(
        "electrolyte.diffusivity",
        "3e-10 exp(-0.65 (m-1)) VTF, m = c/1000",
        "m2.s-1",
        "A",
        law,
        (0.4, 1.6),
    )
    low, high = d.window
    x_n, x_p = d.charged
    cell = Cell(
        negative=electrode("negative", d.negative),
        separator=Separator(
            thickness=number("separator.thickness", d.separator, "m"),
            porosity=n(
                "separator.porosity", 0.40, "-", "A", "typical polyolefin", (0.35, 0.50)
            ),
            transport_efficiency=efficiency("separator", 0.40),
        ),
        positive=electrode("positive", d.positive),
        electrolyte=Electrolyte(
            concentration=n(
                "electrolyte.concentration", 1e3, "mol.m-3", "A", "1 M", (0.8e3, 1.2e3)
            ),
            conductivity=Property(
                PowerExponential(a(0.95), a(0.9), 1.0), vtf(False), valid=LIQUID
            ),
            diffusivity=Property(
                PowerExponential(a(3e-10), a(0.65), 0.0), vtf(True), valid=LIQUID
            ),
            t_plus=n.constant(
                "electrolyte.t_plus",
                0.40,
                "-",
                "A",
                "from analogues",
                None,
                (0.35, 0.5),
            ),
            thermodynamic_factor=n.constant(
                "electrolyte.thermodynamic_factor",
                1.6,
                "-",
                "A",
                "from lithium analogues",
                range=(1.0, 2.5),
            ),
        ),
        area=number("area", d.area, "m2"),
        contact_resistance=property_(
            "contact_resistance",
            d.contact_resistance,
            "ohm",
            arrhenius("contact_resistance.temperature", d.contact_energy),
            valid=PULSES,
        ),
        thermal=Thermal(
            mass=number("thermal.mass", d.mass, "kg"),
            specific_heat=n(
                "thermal.specific_heat",
                1000.0,
                "J.kg-1.K-1",
                "A",
                "lithium cells 913-999 (About:Energy)",
                (900.0, 1100.0),
            ),
            cooling=number("thermal.cooling", d.cooling, "W.K-1"),
        ),
        limits=Limits(
            lower_voltage=number("limits.lower_voltage", low, "V"),
            upper_voltage=number("limits.upper_voltage", high, "V"),
        ),
        nominal_capacity=number("nominal_capacity", d.nominal_capacity, "A.h"),
        temperature=n("temperature", T_REF, "K", "D", "where its data were taken"),
        published=Stoichiometry(
            negative=number("published.negative", x_n, "-"),
            positive=number("published.positive", x_p, "-"),
        ),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    return ParameterSet(
        name=name,
        title=d.title,
        cell=cell,
        provenance=n.provenance,
        citation="naion, physics of the sources in its provenance table",
        licence="Apache-2.0 (our own fits and derivations of cited facts)",
    )
