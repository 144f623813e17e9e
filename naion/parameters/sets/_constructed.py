"""Sets put together from teardowns, half-cell curves and assumptions.

What such sets have in common is here: the form of every property, one activation energy
for each process, the electrolyte. Each set gives its geometry and its materials. They are
starting points for fits and for questions of the kind "how much would it matter", not
cells: about half of their numbers are assumed, and carry ranges.
"""

from typing import NamedTuple

import jax.numpy as jnp

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
from .._registry import ParameterSet, Quality
from ._recorder import Recorder, read_table

T_REF = 298.15
HC_TABLE = "../nvpf_hc_chayambuka2022/hc_diffusivity.csv"
HC_C_MAX = 14540.0
"""Site density of the set that the table of hard carbon's diffusivity is from."""

Given = tuple[float, Quality, str] | tuple[float, Quality, str, tuple[float, float]]
"""A number, its quality, its source and, if it is assumed, its range."""


class Coat(NamedTuple):
    """An electrode of a constructed set.

    Attributes:
        thickness: [m].
        porosity: [-].
        active_fraction: [-].
        radius: of the particles [m].
        c_max: site density [mol.m-3].
        conductivity: electronic, of the active material with its additives [S.m-1].
        charge_transfer: resistance at mid composition, per area of electrode [ohm.m2].
        diffusivity: [m2.s-1], or the factor on the table of hard carbon.
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
    charge_transfer_energy: Given = (
        67e3,
        "A",
        "as of a commercial O3 / hard carbon 18650; literature 35-107 kJ/mol",
        (35e3, 100e3),
    )
    contact_energy: Given = (-25e3, "A", "20-30 kJ/mol", (-40e3, -10e3))


def build(package: str, design: Design) -> ParameterSet:
    """The set of a design; tables lie in `package`."""
    d, n, a = design, Recorder(package), jnp.asarray
    name = package.rpartition(".")[2]

    def arrhenius(path: str, energy: Given) -> Arrhenius:
        value, *rest = energy
        return Arrhenius(n(f"{path}.energy", value, "J.mol-1", *rest), a(T_REF))

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
        R_p, s, c_max = coat.radius[0], coat.active_fraction[0], coat.c_max[0]
        asr, quality, source, *range_ = coat.charge_transfer
        interface = 3.0 * s / R_p
        k_0 = 2.0 * R * T_REF / (F * asr * interface * coat.thickness[0]) / (F * c_max)
        slow = arrhenius(
            f"{p}.diffusivity.temperature",
            (30e3, "A", "reported from 16 to 55 kJ/mol", (16e3, 55e3)),
        )
        factor, *of_factor = coat.diffusivity
        if factor > 1.0:
            text = f"{factor:g} x {HC_TABLE.removeprefix('../')}"
            n.note(f"{p}.diffusivity", text, "m2.s-1", *of_factor)
            c_s, D_s = read_table(package, HC_TABLE)
            curve = Table(a(c_s / HC_C_MAX), a(factor * D_s), extrapolation="clamp")
            diffusivity = Property(curve, slow)
        else:
            diffusivity = n.constant(
                f"{p}.diffusivity",
                factor,
                "m2.s-1",
                *of_factor[:2],
                slow,
                *of_factor[2:],
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
        sigma, *of_sigma = coat.conductivity
        low, high = of_sigma[2]
        return Electrode(
            thickness=n(
                f"{side}.thickness", coat.thickness[0], "m", *coat.thickness[1:]
            ),
            porosity=n(f"{side}.porosity", coat.porosity[0], "-", *coat.porosity[1:]),
            active_fraction=n(
                f"{side}.active_fraction", s, "-", *coat.active_fraction[1:]
            ),
            transport_efficiency=efficiency(side, coat.porosity[0]),
            conductivity=n(
                f"{side}.conductivity",
                sigma * s**1.5,
                "S.m-1",
                of_sigma[0],
                f"{sigma:g} S/m times active_fraction^1.5: {of_sigma[1]}",
                (low * s**1.5, high * s**1.5),
            ),
            particle=Particle(
                radius=n(f"{p}.radius", R_p, "m", *coat.radius[1:]),
                c_max=n(f"{p}.c_max", c_max, "mol.m-3", *coat.c_max[1:]),
                diffusivity=diffusivity,
                ocp=n.table(
                    f"{p}.ocp", file, "V", "F", text, x_offset=offset, x_scale=scale
                ),
                dudt=dudt,
                rate_constant=n.constant(
                    f"{p}.rate_constant",
                    k_0,
                    "m.s-1",
                    quality,
                    f"{1e4 * asr:g} ohm.cm2 of charge transfer at x = 0.5: {source}",
                    arrhenius(
                        f"{p}.rate_constant.temperature", d.charge_transfer_energy
                    ),
                    *((k_0 * asr / high, k_0 * asr / low) for low, high in range_),
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
    thickness, *of_thickness = d.separator
    low, high = d.window
    x_n, x_p = d.charged
    cell = Cell(
        negative=electrode("negative", d.negative),
        separator=Separator(
            thickness=n("separator.thickness", thickness, "m", *of_thickness),
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
            conductivity=Property(PowerExponential(a(0.95), a(0.9), 1.0), vtf(False)),
            diffusivity=Property(PowerExponential(a(3e-10), a(0.65), 0.0), vtf(True)),
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
        area=n("area", d.area[0], "m2", *d.area[1:]),
        contact_resistance=n.constant(
            "contact_resistance",
            d.contact_resistance[0],
            "ohm",
            *d.contact_resistance[1:3],
            arrhenius("contact_resistance.temperature", d.contact_energy),
            *d.contact_resistance[3:],
        ),
        thermal=Thermal(
            mass=n("thermal.mass", d.mass[0], "kg", *d.mass[1:]),
            specific_heat=n(
                "thermal.specific_heat",
                1000.0,
                "J.kg-1.K-1",
                "A",
                "lithium cells 913-999 (About:Energy)",
                (900.0, 1100.0),
            ),
            cooling=n("thermal.cooling", d.cooling[0], "W.K-1", *d.cooling[1:]),
        ),
        limits=Limits(
            lower_voltage=n("limits.lower_voltage", low[0], "V", *low[1:]),
            upper_voltage=n("limits.upper_voltage", high[0], "V", *high[1:]),
        ),
        nominal_capacity=n(
            "nominal_capacity", d.nominal_capacity[0], "A.h", *d.nominal_capacity[1:]
        ),
        temperature=n("temperature", T_REF, "K", "D", "where its data were taken"),
        published=Stoichiometry(
            negative=n("published.negative", x_n[0], "-", *x_n[1:]),
            positive=n("published.positive", x_p[0], "-", *x_p[1:]),
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
