"""NVPF / hard-carbon laboratory cell of Chayambuka et al. 2022, as published.

"As published" is not "validated": this set misses the paper's own measured discharge
curves by about 100 mV. The fit of `make demo` starts from it.
"""

from ....physics.kinetics import ButlerVolmer
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

PAPER = "Chayambuka et al. 2022, DOI 10.1016/j.electacta.2021.139764"
PORT = "PyBaMM 26.10.1.1 Chayambuka2022 (BSD-3-Clause), after COMSOL model 117341"


def build() -> ParameterSet:
    """The set; 25 degC only, no activation energies are published."""
    n = Recorder(__name__)
    c_max = {"negative": 14540.0, "positive": 15320.0}
    material = {"negative": "hc", "positive": "nvpf"}
    rows = {
        "negative": (64e-6, 0.51, 0.489, 3.48e-6, 256.0, 13520.0),
        "positive": (68e-6, 0.23, 0.55, 0.59e-6, 50.0, 3320.0),
    }

    def electrode(side: str) -> Electrode:
        thickness, porosity, active, radius, sigma, _ = rows[side]
        p, m = f"{side}.particle", material[side]
        conductivity = n(
            f"{side}.conductivity",
            sigma,
            "S.m-1",
            "M",
            f"{PORT}, taken as effective",
        )
        return Electrode(
            thickness=n(f"{side}.thickness", thickness, "m", "M", PAPER),
            porosity=n(f"{side}.porosity", porosity, "-", "M", PAPER),
            active_fraction=n(f"{side}.active_fraction", active, "-", "F", PAPER),
            transport_efficiency=n(
                f"{side}.transport_efficiency",
                porosity**1.5,
                "-",
                "A",
                "porosity^1.5; another port uses porosity^0.5",
                (porosity**2.3, porosity**0.5),
            ),
            conductivity=conductivity,
            particle=Particle(
                radius=n(f"{p}.radius", radius, "m", "M", PAPER),
                c_max=n(f"{p}.c_max", c_max[side], "mol.m-3", "F", PAPER),
                diffusivity=n.table(
                    f"{p}.diffusivity",
                    f"{m}_diffusivity.csv",
                    "m2.s-1",
                    "F",
                    PAPER,
                    x_scale=1.0 / c_max[side],
                    extrapolation="clamp",
                    valid=AT_25_DEGC,
                ),
                ocp=n.table(f"{p}.ocp", f"{m}_ocp.csv", "V", "F", PAPER),
                dudt=n.constant(
                    f"{p}.dudt",
                    0.0,
                    "V.K-1",
                    "A",
                    "not published",
                    range=(-4e-4, 2e-4),
                ),
                rate_constant=n.table(
                    f"{p}.rate_constant",
                    f"{m}_rate_constant.csv",
                    "m.s-1",
                    "F",
                    f"{PAPER}; {PORT} halves the exchange current and then uses "
                    "2 j_0 sinh: its k are halved here",
                    x_scale=1.0 / c_max[side],
                    y_scale=0.5,
                    extrapolation="clamp",
                    valid=AT_25_DEGC,
                ),
                film_resistance=n.constant(
                    f"{p}.film_resistance",
                    0.0,
                    "ohm.m2",
                    "A",
                    "not published",
                    range=(0.0, 1e-2),
                ),
            ),
        )

    mass = 2.54e-4 * (64e-6 * 0.489 * 1950 + 68e-6 * 0.55 * 3200)
    cell = Cell(
        negative=electrode("negative"),
        separator=Separator(
            thickness=n("separator.thickness", 25e-6, "m", "M", PAPER),
            porosity=n("separator.porosity", 0.55, "-", "M", PAPER),
            transport_efficiency=n(
                "separator.transport_efficiency",
                0.55**1.5,
                "-",
                "A",
                "porosity^1.5",
                (0.55**2.3, 0.55),
            ),
        ),
        positive=electrode("positive"),
        electrolyte=Electrolyte(
            concentration=n("electrolyte.concentration", 1000.0, "mol.m-3", "M", PAPER),
            conductivity=n.table(
                "electrolyte.conductivity",
                "electrolyte_conductivity.csv",
                "S.m-1",
                "M",
                f"{PAPER}; the point (0, 0) is added, so that depleted salt conducts "
                "nothing",
                extrapolation="clamp",
                valid=AT_25_DEGC,
            ),
            diffusivity=n.table(
                "electrolyte.diffusivity",
                "electrolyte_diffusivity.csv",
                "m2.s-1",
                "M",
                PAPER,
                extrapolation="clamp",
                valid=AT_25_DEGC,
            ),
            t_plus=n.constant("electrolyte.t_plus", 0.45, "-", "M", PAPER),
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
        area=n("area", 2.54e-4, "m2", "M", PAPER),
        contact_resistance=n.constant(
            "contact_resistance",
            0.0,
            "ohm",
            "A",
            f"{PORT}; one adaptation has 41 ohm",
            range=(0.0, 60.0),
        ),
        thermal=Thermal(
            mass=n("thermal.mass", mass, "kg", "D", "active materials alone"),
            specific_heat=n(
                "thermal.specific_heat",
                1000.0,
                "J.kg-1.K-1",
                "A",
                "typical of cells",
                (900.0, 1100.0),
            ),
            cooling=n(
                "thermal.cooling",
                5e-3,
                "W.K-1",
                "A",
                "10 W/m2/K, both faces",
                (2.5e-3, 5e-2),
            ),
        ),
        limits=Limits(
            lower_voltage=n("limits.lower_voltage", 2.0, "V", "M", PAPER),
            upper_voltage=n("limits.upper_voltage", 4.2, "V", "M", PAPER),
        ),
        nominal_capacity=n(
            "nominal_capacity", 8.33 * 2.54e-4, "A.h", "M", f"{PAPER}: 1C is 8.33 A/m2"
        ),
        temperature=n("temperature", 298.15, "K", "M", PAPER),
        published=Stoichiometry(
            negative=n("published.negative", 13520 / 14540, "-", "F", PAPER),
            positive=n("published.positive", 3320 / 15320, "-", "F", PAPER),
        ),
        charged=None,
        kinetics=ButlerVolmer(),
    )
    return ParameterSet(
        name="nvpf_hc_chayambuka2022",
        title="Na3V2(PO4)2F3 / hard carbon, 2.1 mA.h laboratory cell",
        cell=cell,
        provenance=n.provenance,
        citation=(
            "Chayambuka, Mulder, Danilov, Notten, Electrochim. Acta 404 (2022) 139726 "
            "and 139764"
        ),
        licence="published figures; points as in PyBaMM (BSD-3-Clause)",
    )
