"""Lithium sets that About:Energy published as BPX, in naion's own schema.

Their licence is CC BY-SA 4.0; tables and licence lie in the folder of each set. They were
published with data of 25 degC; the energies came without data, those of the electrolyte
without a source.
"""

from typing import NamedTuple

import jax.numpy as jnp

from ...physics.kinetics import ButlerVolmer
from ...properties import Arrhenius, PowerSeries, Property
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
from ._constructed import Given
from ._recorder import AT_25_DEGC, Range, Recorder

PAPER = "About:Energy BPX parameterisation, December 2022"
NYMAN = "Nyman et al. 2008, DOI 10.1016/j.electacta.2008.04.023"
T_REF = 298.15


class Side(NamedTuple):
    """An electrode in the terms of BPX.

    Attributes:
        material: begins the names of its tables.
        radius: [m].
        thickness: [m].
        D_s: [m2.s-1].
        E_D: activation energy of D_s [J.mol-1].
        rate: BPX's K of j_0 = F K sqrt(c_e/c_e0) sqrt(x(1-x)) [mol.m-2.s-1].
        E_k: activation energy of K [J.mol-1].
        interface: [m-1].
        porosity: [-].
        efficiency: transport efficiency [-].
        sigma: effective electronic conductivity [S.m-1].
        c_max: [mol.m-3].
        charged: stoichiometry of the charged cell [-].
        dudt: entropic coefficient [V.K-1]; none: a table.
        E_D_range: lowest and highest plausible E_D [J.mol-1], where it is doubted.
        E_D_doubt: why.
    """

    material: str
    radius: float
    thickness: float
    D_s: float
    E_D: float
    rate: float
    E_k: float
    interface: float
    porosity: float
    efficiency: float
    sigma: float
    c_max: float
    charged: float
    dudt: float | None = None
    E_D_range: Range = None
    E_D_doubt: str = ""


class Whole(NamedTuple):
    """The rest of a BPX cell.

    Attributes:
        t_plus: [-].
        area: of all electrode pairs [m2].
        mass: [kg].
        specific_heat: [J.kg-1.K-1].
        surface: external [m2].
        window: lower and upper voltage [V].
        capacity: nominal [A.h].
    """

    t_plus: float
    area: float
    mass: Given
    specific_heat: float
    surface: float
    window: tuple[float, float]
    capacity: float


def coat_mass(side: Side, area: float, active: float, filler: float) -> float:
    """Of an electrode's coats [kg].

    Args:
        side: the electrode.
        area: [m2].
        active: density of the active material [kg.m-3].
        filler: of binder and carbon, which are what else is not liquid [kg.m-3].
    """
    share = side.interface * side.radius / 3.0
    rest = 1.0 - side.porosity - share
    return area * side.thickness * (share * active + rest * filler)


def build(
    package: str, title: str, whole: Whole, negative: Side, positive: Side
) -> ParameterSet:
    """The set of a BPX cell; tables lie in `package`."""
    n, a = Recorder(package), jnp.asarray

    def arrhenius(
        path: str, energy: float, source: str = PAPER, between: Range = None
    ) -> Arrhenius:
        where = f"{path}.temperature.energy"
        return Arrhenius(n(where, energy, "J.mol-1", "F", source, between), a(T_REF))

    def electrode(side: str, s: Side) -> Electrode:
        p = f"{side}.particle"
        if s.dudt is None:
            file = f"{s.material}_dudt.csv"
            dudt = n.table(
                f"{p}.dudt", file, "V.K-1", "F", PAPER, extrapolation="clamp"
            )
        else:
            dudt = n.constant(f"{p}.dudt", s.dudt, "V.K-1", "F", PAPER)
        return Electrode(
            thickness=n(f"{side}.thickness", s.thickness, "m", "M", PAPER),
            porosity=n(f"{side}.porosity", s.porosity, "-", "M", PAPER),
            active_fraction=n(
                f"{side}.active_fraction",
                s.interface * s.radius / 3.0,
                "-",
                "D",
                f"surface area per volume {s.interface:g} 1/m: {PAPER}",
            ),
            transport_efficiency=n(
                f"{side}.transport_efficiency", s.efficiency, "-", "F", PAPER
            ),
            conductivity=n(f"{side}.conductivity", s.sigma, "S.m-1", "F", PAPER),
            particle=Particle(
                radius=n(f"{p}.radius", s.radius, "m", "M", PAPER),
                c_max=n(f"{p}.c_max", s.c_max, "mol.m-3", "F", PAPER),
                diffusivity=n.constant(
                    f"{p}.diffusivity",
                    s.D_s,
                    "m2.s-1",
                    "F",
                    PAPER,
                    arrhenius(
                        f"{p}.diffusivity",
                        s.E_D,
                        f"{PAPER}; {s.E_D_doubt}" if s.E_D_doubt else PAPER,
                        s.E_D_range,
                    ),
                    valid=AT_25_DEGC,
                ),
                ocp=n.table(f"{p}.ocp", f"{s.material}_ocp.csv", "V", "F", PAPER),
                dudt=dudt,
                rate_constant=n.constant(
                    f"{p}.rate_constant",
                    s.rate / s.c_max,
                    "m.s-1",
                    "F",
                    f"K = {s.rate:g} mol/m2/s over c_max: {PAPER}",
                    arrhenius(f"{p}.rate_constant", s.E_k),
                    valid=AT_25_DEGC,
                ),
                film_resistance=n.constant(
                    f"{p}.film_resistance", 0.0, "ohm.m2", "F", f"none in {PAPER}"
                ),
            ),
        )

    def electrolyte(name: str, text: str, unit: str, series: PowerSeries) -> Property:
        n.note(f"electrolyte.{name}", text, unit, "F", NYMAN)
        law = arrhenius(f"electrolyte.{name}", 17100.0)
        return Property(series, law, valid=AT_25_DEGC)

    lower, upper = whole.window
    cell = Cell(
        negative=electrode("negative", negative),
        separator=Separator(
            thickness=n("separator.thickness", 20e-6, "m", "M", PAPER),
            porosity=n("separator.porosity", 0.47, "-", "M", PAPER),
            transport_efficiency=n(
                "separator.transport_efficiency", 0.3222, "-", "F", PAPER
            ),
        ),
        positive=electrode("positive", positive),
        electrolyte=Electrolyte(
            concentration=n("electrolyte.concentration", 1000.0, "mol.m-3", "M", PAPER),
            conductivity=electrolyte(
                "conductivity",
                "0.1297 m^3 - 2.51 m^1.5 + 3.329 m, m = c/1000",
                "S.m-1",
                PowerSeries(a([0.1297, -2.51, 3.329]), (3.0, 1.5, 1.0)),
            ),
            diffusivity=electrolyte(
                "diffusivity",
                "8.794e-11 m^2 - 3.972e-10 m + 4.862e-10, m = c/1000",
                "m2.s-1",
                PowerSeries(a([8.794e-11, -3.972e-10, 4.862e-10]), (2.0, 1.0, 0.0)),
            ),
            t_plus=n.constant("electrolyte.t_plus", whole.t_plus, "-", "F", NYMAN),
            thermodynamic_factor=n.constant(
                "electrolyte.thermodynamic_factor", 1.0, "-", "F", f"as in {PAPER}"
            ),
        ),
        area=n("area", whole.area, "m2", "M", PAPER),
        contact_resistance=n.constant(
            "contact_resistance", 0.0, "ohm", "F", f"none in {PAPER}"
        ),
        thermal=Thermal(
            mass=n("thermal.mass", whole.mass.value, "kg", *whole.mass[1:]),
            specific_heat=n(
                "thermal.specific_heat", whole.specific_heat, "J.kg-1.K-1", "M", PAPER
            ),
            cooling=n(
                "thermal.cooling",
                10.0 * whole.surface,
                "W.K-1",
                "A",
                f"10 W/m2/K over {1e4 * whole.surface:g} cm2",
                (5.0 * whole.surface, 50.0 * whole.surface),
            ),
        ),
        limits=Limits(
            lower_voltage=n("limits.lower_voltage", lower, "V", "M", PAPER),
            upper_voltage=n("limits.upper_voltage", upper, "V", "M", PAPER),
        ),
        nominal_capacity=n("nominal_capacity", whole.capacity, "A.h", "M", PAPER),
        temperature=n("temperature", T_REF, "K", "M", PAPER),
        published=Stoichiometry(
            negative=n("published.negative", negative.charged, "-", "F", PAPER),
            positive=n("published.positive", positive.charged, "-", "F", PAPER),
        ),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    return ParameterSet(
        name=package.rpartition(".")[2],
        title=title,
        cell=cell,
        provenance=n.provenance,
        citation=(
            "About:Energy Limited, About-Energy-BPX-Parameterisation, December 2022, "
            "https://github.com/About-Energy-OpenSource/About-Energy-BPX-Parameterisation"
        ),
        licence="CC BY-SA 4.0",
    )
