"""LG M50 (NMC811 / graphite-SiOx), Chen et al. 2020: the lithium reference."""

import jax.numpy as jnp

from ...._constants import F
from ....physics.kinetics import ButlerVolmer
from ....properties import Arrhenius, PowerSeries, Property, TanhSum
from ..._cell import (
    Cell,
    Electrode,
    Electrolyte,
    Limits,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
)
from ..._registry import ParameterSet
from .._recorder import AT_25_DEGC, Recorder

PAPER = "Chen et al. 2020, DOI 10.1149/1945-7111/ab9050"
NYMAN = "Nyman et al. 2008, DOI 10.1016/j.electacta.2008.04.023"
PORT = "PyBaMM 26.10.1.1 Chen2020 (BSD-3-Clause)"


def build() -> ParameterSet:
    """The set; diffusivities and electrolyte have no published temperature law."""
    n = Recorder(__name__)
    a = jnp.asarray
    rows = {
        "negative": dict(L=85.2e-6, e=0.25, s=0.75, R=5.86e-6, k=215.0, c=33133.0),
        "positive": dict(L=75.6e-6, e=0.335, s=0.665, R=5.22e-6, k=0.18, c=63104.0),
    }
    diffusivity = {"negative": 3.3e-14, "positive": 4e-15}
    # j_0 = m sqrt(c_e c_s (c_max - c_s)) in the paper, hence k_0 = m sqrt(c_e0) / F.
    m_ref = {"negative": (6.48e-7, 35000.0), "positive": (3.42e-6, 17800.0)}
    ocp = {
        "negative": TanhSum(
            offset=a(0.2482),
            slope=a(0.0),
            exp_size=a(1.9793),
            exp_rate=a(39.3631),
            size=a([-0.0909, -0.04478, -0.0205]),
            rate=a([29.8538, 14.9159, 30.4444]),
            centre=a([0.1234, 0.2769, 0.6103]),
        ),
        "positive": TanhSum(
            offset=a(4.4875),
            slope=a(-0.8090),
            exp_size=a(0.0),
            exp_rate=a(0.0),
            size=a([-0.0428, -17.7326, 17.5842]),
            rate=a([18.5138, 15.7890, 15.9308]),
            centre=a([0.5542, 0.3117, 0.3120]),
        ),
    }

    def electrode(side: str) -> Electrode:
        r, p = rows[side], f"{side}.particle"
        m, energy = m_ref[side]
        n.note(f"{p}.ocp", "published sum of tanh and exp", "V", "F", PAPER)
        law = Arrhenius(
            n(f"{p}.rate_constant.temperature.energy", energy, "J.mol-1", "F", PORT),
            a(298.15),
        )
        return Electrode(
            thickness=n(f"{side}.thickness", r["L"], "m", "M", PAPER),
            porosity=n(f"{side}.porosity", r["e"], "-", "M", PAPER),
            active_fraction=n(f"{side}.active_fraction", r["s"], "-", "M", PAPER),
            transport_efficiency=n(
                f"{side}.transport_efficiency",
                r["e"] ** 1.5,
                "-",
                "A",
                "porosity^1.5",
                (r["e"] ** 2.3, r["e"]),
            ),
            conductivity=n(f"{side}.conductivity", r["k"], "S.m-1", "M", PAPER),
            particle=Particle(
                radius=n(f"{p}.radius", r["R"], "m", "M", PAPER),
                c_max=n(f"{p}.c_max", r["c"], "mol.m-3", "F", PAPER),
                diffusivity=n.constant(
                    f"{p}.diffusivity",
                    diffusivity[side],
                    "m2.s-1",
                    "F",
                    PAPER,
                    valid=AT_25_DEGC,
                ),
                ocp=Property(ocp[side]),
                dudt=n.constant(
                    f"{p}.dudt", 0.0, "V.K-1", "A", PORT, range=(-5e-4, 5e-4)
                ),
                rate_constant=n.constant(
                    f"{p}.rate_constant",
                    m * 1000.0**0.5 / F,
                    "m.s-1",
                    "D",
                    f"m_ref = {m:g} (A/m2)(m3/mol)^1.5 of {PAPER}",
                    law,
                ),
                film_resistance=n.constant(
                    f"{p}.film_resistance",
                    0.0,
                    "ohm.m2",
                    "A",
                    "none assumed",
                    range=(0.0, 1e-2),
                ),
            ),
        )

    n.note(
        "electrolyte.conductivity",
        "0.1297 m^3 - 2.51 m^1.5 + 3.329 m, m = c/1000",
        "S.m-1",
        "F",
        NYMAN,
    )
    n.note(
        "electrolyte.diffusivity",
        "8.794e-11 m^2 - 3.972e-10 m + 4.862e-10",
        "m2.s-1",
        "F",
        NYMAN,
    )
    cell = Cell(
        negative=electrode("negative"),
        separator=Separator(
            thickness=n("separator.thickness", 12e-6, "m", "M", PAPER),
            porosity=n("separator.porosity", 0.47, "-", "M", PAPER),
            transport_efficiency=n(
                "separator.transport_efficiency",
                0.47**1.5,
                "-",
                "A",
                "porosity^1.5",
                (0.47**2.3, 0.47),
            ),
        ),
        positive=electrode("positive"),
        electrolyte=Electrolyte(
            concentration=n("electrolyte.concentration", 1000.0, "mol.m-3", "M", PAPER),
            conductivity=Property(
                PowerSeries(a([0.1297, -2.51, 3.329]), (3.0, 1.5, 1.0)),
                valid=AT_25_DEGC,
            ),
            diffusivity=Property(
                PowerSeries(a([8.794e-11, -3.972e-10, 4.862e-10]), (2.0, 1.0, 0.0)),
                valid=AT_25_DEGC,
            ),
            t_plus=n.constant("electrolyte.t_plus", 0.2594, "-", "F", NYMAN),
            thermodynamic_factor=n.constant(
                "electrolyte.thermodynamic_factor",
                1.0,
                "-",
                "A",
                PORT,
                None,
                (1.0, 2.5),
            ),
        ),
        area=n("area", 0.065 * 1.58, "m2", "M", PAPER),
        contact_resistance=n.constant(
            "contact_resistance", 0.0, "ohm", "A", PORT, range=(0.0, 0.03)
        ),
        thermal=Thermal(
            mass=n("thermal.mass", 0.0685, "kg", "M", "LG M50 data sheet, 68.5 g"),
            specific_heat=n(
                "thermal.specific_heat",
                900.0,
                "J.kg-1.K-1",
                "A",
                "typical of cells",
                (850.0, 1050.0),
            ),
            cooling=n(
                "thermal.cooling",
                10 * 0.00531,
                "W.K-1",
                "A",
                f"10 W/m2/K, {PORT}",
                (0.025, 0.25),
            ),
        ),
        limits=Limits(
            lower_voltage=n("limits.lower_voltage", 2.5, "V", "M", PAPER),
            upper_voltage=n("limits.upper_voltage", 4.2, "V", "M", PAPER),
        ),
        nominal_capacity=n("nominal_capacity", 5.0, "A.h", "M", PAPER),
        temperature=n("temperature", 298.15, "K", "M", PAPER),
        published=Stoichiometry(
            negative=n("published.negative", 29866 / 33133, "-", "F", PAPER),
            positive=n("published.positive", 17038 / 63104, "-", "F", PAPER),
        ),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    return ParameterSet(
        name="nmc811_chen2020",
        title="NMC811 / graphite-SiOx, 5 A.h LG M50 21700 (lithium reference)",
        cell=cell,
        provenance=n.provenance,
        citation="Chen et al., J. Electrochem. Soc. 167 (2020) 080534",
        licence="published figures; expressions as in PyBaMM (BSD-3-Clause)",
    )
