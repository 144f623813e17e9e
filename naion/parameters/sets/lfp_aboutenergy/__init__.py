"""LFP / graphite, 2 A.h 18650, About:Energy 2022. Licence CC BY-SA 4.0, see LICENSE."""

from ..._registry import ParameterSet
from .._aboutenergy import Side, Whole, coat_mass
from .._aboutenergy import build as build_from
from .._constructed import Given

AREA = 0.08959998

NEGATIVE = Side(
    material="graphite",
    radius=4.8e-6,
    thickness=44.4e-6,
    D_s=9.6e-15,
    E_D=30e3,
    rate=6.872e-6,
    E_k=55e3,
    interface=473004.0,
    porosity=0.20666,
    efficiency=0.09395,
    sigma=7.46,
    c_max=31400.0,
    charged=0.82258,
)
POSITIVE = Side(
    material="lfp",
    radius=0.5e-6,
    thickness=64.3e-6,
    D_s=6.873e-17,
    E_D=80e3,
    rate=9.736e-7,
    E_k=35e3,
    interface=4418460.0,
    porosity=0.20359,
    efficiency=0.09186,
    sigma=0.80,
    c_max=21200.0,
    charged=0.0875,
    E_D_range=(30e3, 90e3),
    E_D_doubt=(
        "all published tests of the cell are at 25 degC, and the solids of other sets have "
        "15 to 55 kJ/mol: below 25 degC an extrapolation, on which the energy in the cold "
        "depends more than on anything else (at -20 degC and C/3 7 % with 80, 81 % with "
        "30 kJ/mol)"
    ),
)

PORES = 0.20666 * 44.4e-6 + 0.20359 * 64.3e-6 + 0.47 * 20e-6

MASS = {
    "graphite 2250, binder and carbon 1500 kg/m3": coat_mass(
        NEGATIVE, AREA, 2250.0, 1500.0
    ),
    "LFP 3600, binder and carbon 1850 kg/m3": coat_mass(POSITIVE, AREA, 3600.0, 1850.0),
    "copper 7.25 um, aluminium 13.5 um, coated on both sides": (
        0.5 * AREA * (7.25e-6 * 8960.0 + 13.5e-6 * 2700.0)
    ),
    "polyolefin 940 kg/m3": AREA * 20e-6 * 0.53 * 940.0,
    "electrolyte 1210 kg/m3, 1.3 times the pores": 1.3 * 1210.0 * AREA * PORES,
    "steel can 18 x 65 mm of 0.2 mm": 0.2e-3 * 4.18e-3 * 7850.0,
    "lid, tabs, insulators (assumed)": 2.0e-3,
}
"""Of the cell's parts [kg]. Densities and usual foils, overfill and can as of teardowns of
such cells; the file's density times its volume, 33 g, is less than these parts weigh."""


def build() -> ParameterSet:
    """The set."""
    parts = "; ".join(f"{1e3 * m:.2g} g {name}" for name, m in MASS.items())
    return build_from(
        __name__,
        "LiFePO4 / graphite, 2 A.h 18650 (lithium reference)",
        Whole(
            t_plus=0.259,
            area=AREA,
            mass=Given(
                sum(MASS.values()), "D", f"sum of its parts: {parts}", (39e-3, 44e-3)
            ),
            specific_heat=999.0,
            surface=0.00431,
            window=(2.0, 3.65),
            capacity=2.0,
        ),
        negative=NEGATIVE,
        positive=POSITIVE,
    )
