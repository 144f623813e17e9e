"""Layered oxide NaNi1/3Fe1/3Mn1/3O2 / hard carbon, 260 A.h prismatic cell.

Teardown geometry with assumed kinetics, three times better than those of the 18650.
"""

from ..._registry import ParameterSet
from .. import _constructed
from .._constructed import Coat, Design, Given
from ..nfm_hc_18650 import DESIGN as SMALL_CELL
from ..nfm_hc_18650 import ENTROPY

TEARDOWN = (
    "teardown of a prismatic sodium cell: box 174 x 71.5 x 205 mm, coats 19 / 8.87 "
    "mg/cm2 at 2.71 / 1.02 g/cm3 (steer-opencell-design collection, single facts)"
)
AUTOMOTIVE = "a third of the 18650's: large automotive cells"
BEGIN = "assumed charged state"

NEGATIVE = Coat(
    thickness=Given(87.0e-6, "D", TEARDOWN),
    porosity=Given(0.327, "D", "from densities"),
    active_fraction=Given(0.646, "D", TEARDOWN),
    radius=Given(4.5e-6, "A", "typical powder", (2e-6, 8e-6)),
    c_max=Given(17014.0, "D", "304 mAh/g at 1500 kg/m3"),
    conductivity=SMALL_CELL.negative.conductivity,
    charge_transfer=Given(5e-4, "A", AUTOMOTIVE, (2e-4, 16.6e-4)),
    diffusivity=Given(
        150.0,
        "A",
        "as in nfm_hc_18650, where it is a lower bound",
        (0.1, 10.0),
    ),
    ocp=("hc_ocp.csv", "our MSMR fit of hard carbon A"),
)
"""Also the negative electrode of pw_hc_prismatic, but for its thickness."""

DESIGN = Design(
    title="NaNi1/3Fe1/3Mn1/3O2 / hard carbon, 260 A.h prismatic (assumed kinetics)",
    negative=NEGATIVE,
    positive=Coat(
        thickness=Given(70.1e-6, "D", TEARDOWN),
        porosity=Given(0.338, "D", "from densities"),
        active_fraction=Given(0.6185, "D", TEARDOWN),
        radius=Given(4.0e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(22552.0, "D", "128 mAh/g over 90 % of the sites, at 4250 kg/m3"),
        conductivity=SMALL_CELL.positive.conductivity,
        charge_transfer=Given(5e-4, "A", AUTOMOTIVE, (2e-4, 16.6e-4)),
        diffusivity=Given(
            1.5e-13,
            "A",
            "as in nfm_hc_18650, where it is a lower bound",
            (1.5e-14, 1.5e-12),
        ),
        ocp=("../nfm_hc_18650/nfm_ocp.csv", "our MSMR fit of NFM111 B"),
        window=(0.1, 0.9),
        dudt=("../nfm_hc_18650/nfm_dudt.csv", ENTROPY),
    ),
    separator=Given(12e-6, "M", TEARDOWN),
    area=Given(11.86, "D", TEARDOWN),
    contact_resistance=Given(1e-4, "A", "typical of the format", (0.5e-4, 3e-4)),
    mass=Given(5.15, "D", "energy model of the design: 264 A.h, 150 Wh/kg"),
    cooling=Given(1.26, "A", "10 W/m2/K over the box", (0.6, 25.0)),
    window=(
        Given(1.5, "A", "as the 18650", (1.5, 2.0)),
        Given(4.1, "A", "same", (3.9, 4.1)),
    ),
    nominal_capacity=Given(257.0, "D", "simulated at 1C"),
    charged=(
        Given(0.86, "A", BEGIN, (0.75, 0.95)),
        Given(0.118, "A", BEGIN, (0.08, 0.2)),
    ),
)


def build() -> ParameterSet:
    """The set."""
    return _constructed.build(__name__, DESIGN)
