"""Layered oxide NaNi1/3Fe1/3Mn1/3O2 / hard carbon, commercial 1.5 A.h 18650.

Constructed: teardown geometry, our own fits of half-cell curves, resistances derived
from measured pulses, and many assumed numbers. A starting point for fits, not a cell.
"""

import jax.numpy as jnp

from ...._constants import F, R
from ....physics.kinetics import ButlerVolmer
from ....properties import (
    VTF,
    Arrhenius,
    Invariant,
    PowerExponential,
    Property,
    Table,
)
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
from .._recorder import Recorder, read_table

TEARDOWN = (
    "teardown of the 1.5 A.h 18650: loading 9.38 / 17.57 mg/cm2 at 0.95 / 2.64 g/cm3, "
    "RSC EES Batteries 2026, DOI 10.1039/D5EB00161G"
)
PULSES = (
    "asinh decomposition of 1 s pulse resistances at 15/25/45 degC, TU Berlin data, "
    "DOI 10.14279/depositonce-25036"
)
OCV_FIT = "balance fitted to the incremental OCV of a Hakadi cell (14 mV RMSE)"
ENTROPY = "full-cell dU/dT of TU Berlin data, DOI 10.14279/depositonce-25036"
T_REF = 298.15
ASR_CT = 16.6e-4
"""Charge-transfer resistance of each electrode per area of electrode [ohm.m2]."""


def build() -> ParameterSet:
    """The set, with single activation energies for each process."""
    n = Recorder(__name__)
    a = jnp.asarray
    rows = {
        "negative": dict(L=98.7e-6, e=0.372, s=0.602, R=4.5e-6, k=100.0, c=15150.0),
        "positive": dict(L=66.5e-6, e=0.355, s=0.603, R=4.0e-6, k=10.0, c=38123.0),
    }

    def arrhenius(path: str, energy: float, quality, source: str) -> Arrhenius:
        return Arrhenius(
            n(f"{path}.energy", energy, "J.mol-1", quality, source), a(T_REF)
        )

    def vtf(times_temperature: bool) -> VTF:
        return VTF(a(420.0), a(150.0), a(T_REF), times_temperature)

    def electrode(side: str) -> Electrode:
        r, p = rows[side], f"{side}.particle"
        interface = 3.0 * r["s"] / r["R"]
        j_0 = R * T_REF / (F * ASR_CT * interface * r["L"])
        slow = arrhenius(
            f"{p}.diffusivity.temperature", 30e3, "A", "range 16-55 kJ/mol"
        )
        if side == "negative":
            # 150 times the table of Chayambuka et al. at the same stoichiometry.
            folder = __name__.rsplit(".", 1)[0] + ".nvpf_hc_chayambuka2022"
            c_s, D_s = read_table(folder, "hc_diffusivity.csv")
            table = Table(a(c_s / 14540.0), a(150.0 * D_s), extrapolation="clamp")
            diffusivity = Property(table, slow)
            n.note(
                f"{p}.diffusivity",
                "150 x table of nvpf_hc_chayambuka2022",
                "m2.s-1",
                "F",
                "lower bound only: solid diffusion does not show up to 1.5C",
            )
            ocp = n.table(
                f"{p}.ocp", "hc_ocp.csv", "V", "F", "our MSMR fit of hard carbon D1"
            )
        else:
            diffusivity = n.constant(
                f"{p}.diffusivity", 1.5e-13, "m2.s-1", "F", "lower bound only", slow
            )
            ocp = n.table(
                f"{p}.ocp",
                "nfm_ocp.csv",
                "V",
                "F",
                "our MSMR fit of NFM111 B, its window at y = 0.43 + 0.55 x of Na_y",
                x_offset=0.43,
                x_scale=0.55,
            )
        return Electrode(
            thickness=n(f"{side}.thickness", r["L"], "m", "M", TEARDOWN),
            porosity=n(f"{side}.porosity", r["e"], "-", "D", "from densities"),
            active_fraction=n(f"{side}.active_fraction", r["s"], "-", "D", TEARDOWN),
            transport_efficiency=n(
                f"{side}.transport_efficiency", r["e"] ** 1.8, "-", "A", "porosity^1.8"
            ),
            conductivity=n(
                f"{side}.conductivity",
                r["k"] * r["s"] ** 1.5,
                "S.m-1",
                "A",
                f"{r['k']:g} S/m times active_fraction^1.5",
            ),
            particle=Particle(
                radius=n(f"{p}.radius", r["R"], "m", "A", "typical powder"),
                c_max=n(
                    f"{p}.c_max",
                    r["c"],
                    "mol.m-3",
                    "F" if side == "negative" else "D",
                    OCV_FIT if side == "negative" else "4250 kg/m3 over 111.48 g/mol",
                ),
                diffusivity=diffusivity,
                ocp=ocp,
                dudt=_entropic(n, side),
                rate_constant=n.constant(
                    f"{p}.rate_constant",
                    2.0 * j_0 / (F * r["c"]),
                    "m.s-1",
                    "D",
                    f"16.6 ohm.cm2 of charge transfer at x = 0.5: {PULSES}",
                    arrhenius(f"{p}.rate_constant.temperature", 67e3, "D", PULSES),
                ),
                film_resistance=n.constant(
                    f"{p}.film_resistance", 0.0, "ohm.m2", "A", "none assumed"
                ),
            ),
        )

    lowt = "low-temperature carbonate, assumed: T_0 150 K, B 420 K"
    n.note("electrolyte.conductivity", "0.95 m exp(0.9 (1-m)) VTF", "S.m-1", "A", lowt)
    n.note("electrolyte.diffusivity", "3e-10 exp(-0.65 (m-1)) VTF", "m2.s-1", "A", lowt)
    cell = Cell(
        negative=electrode("negative"),
        separator=Separator(
            thickness=n("separator.thickness", 11e-6, "m", "M", TEARDOWN),
            porosity=n("separator.porosity", 0.40, "-", "A", "typical polyolefin"),
            transport_efficiency=n(
                "separator.transport_efficiency", 0.40**1.8, "-", "A", "porosity^1.8"
            ),
        ),
        positive=electrode("positive"),
        electrolyte=Electrolyte(
            concentration=n("electrolyte.concentration", 1000.0, "mol.m-3", "A", "1 M"),
            conductivity=Property(PowerExponential(a(0.95), a(0.9), 1.0), vtf(False)),
            diffusivity=Property(PowerExponential(a(3e-10), a(0.65), 0.0), vtf(True)),
            t_plus=n.constant("electrolyte.t_plus", 0.40, "-", "A", "range 0.35-0.50"),
            thermodynamic_factor=n.constant(
                "electrolyte.thermodynamic_factor", 1.6, "-", "A", "range 1.0-2.5"
            ),
        ),
        area=n("area", 0.0650, "m2", "M", TEARDOWN),
        contact_resistance=n.constant(
            "contact_resistance",
            0.037,
            "ohm",
            "D",
            f"24 ohm.cm2 of contact and film: {PULSES}",
            arrhenius("contact_resistance.temperature", -25e3, "D", "20-30 kJ/mol"),
        ),
        thermal=Thermal(
            mass=n("thermal.mass", 0.037, "kg", "M", "weighed, 36.5-37.5 g"),
            specific_heat=n(
                "thermal.specific_heat", 1000.0, "J.kg-1.K-1", "A", "900-1100"
            ),
            cooling=n(
                "thermal.cooling", 12 * 4.18e-3, "W.K-1", "A", "12 W/m2/K over 41.8 cm2"
            ),
        ),
        limits=Limits(
            lower_voltage=n("limits.lower_voltage", 1.5, "V", "S", "data sheet"),
            upper_voltage=n("limits.upper_voltage", 4.1, "V", "S", "data sheet"),
        ),
        nominal_capacity=n("nominal_capacity", 1.5, "A.h", "S", "data sheet"),
        temperature=n("temperature", T_REF, "K", "A", "room temperature"),
        published=Stoichiometry(
            negative=n("published.negative", 0.992, "-", "F", OCV_FIT),
            positive=n("published.positive", 0.404, "-", "F", OCV_FIT),
        ),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    return ParameterSet(
        name="nfm_hc_18650",
        title="NaNi1/3Fe1/3Mn1/3O2 / hard carbon, 1.5 A.h commercial 18650 (constructed)",
        cell=cell,
        provenance=n.provenance,
        citation="naion, physics of the sources in its provenance table",
        licence="Apache-2.0 (our own fits and derivations of cited facts)",
    )


def _entropic(n: Recorder, side: str) -> Property:
    """The measured full-cell dU/dT, all of it given to the positive electrode."""
    path = f"{side}.particle.dudt"
    if side == "negative":
        return n.constant(path, 0.0, "V.K-1", "A", "the pair's is in the positive one")
    # Mean of both branches from charged (y = 0.404) to discharged (y = 0.966).
    uV_per_K = [85, -6, -181, -256, -228, -266, -336, -385, -336, -335, -426]
    y = 0.404 + (0.966 - 0.404) * jnp.linspace(0.0, 1.0, 11)
    n.note(path, "11 points against SOC", "V.K-1", "D", ENTROPY)
    return Property(
        Table(y, 1e-6 * jnp.asarray(uV_per_K, dtype=float), extrapolation="clamp"),
        Invariant(),
    )
