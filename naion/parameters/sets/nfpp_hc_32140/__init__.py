"""Na4Fe3(PO4)2P2O7 / hard carbon, 8 A.h cylindrical 32140: geometry of a teardown."""

from ..._registry import ParameterSet
from .. import _constructed
from .._constructed import Coat, Design, Given
from ..nfm_hc_18650 import DESIGN as SMALL_CELL

TEARDOWN = (
    "teardown of a 32140 cell: coats 14.99 / 6.39 mg/cm2 at 1.89 / 1.04 g/cm3, 12.4 x "
    "226.9 cm (steer-opencell-design collection, single facts)"
)
BEGIN = "assumed charged state"

DESIGN = Design(
    title="Na4Fe3(PO4)2P2O7 / hard carbon, 8 A.h cylindrical (assumed kinetics)",
    negative=Coat(
        thickness=Given(61.4e-6, "D", TEARDOWN),
        porosity=Given(0.313, "D", "from densities"),
        active_fraction=Given(0.659, "D", TEARDOWN),
        radius=Given(4.5e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(16230.0, "D", "286 mAh/g of hard carbon B at about 1520 kg/m3"),
        conductivity=SMALL_CELL.negative.conductivity,
        charge_transfer=Given(8e-4, "A", "between 18650 and automotive", (3e-4, 20e-4)),
        diffusivity=Given(150.0, "A", "as in nfm_hc_18650", (0.1, 10.0)),
        ocp=("hc_ocp.csv", "our MSMR fit of hard carbon B"),
    ),
    positive=Coat(
        thickness=Given(79.3e-6, "D", TEARDOWN),
        porosity=Given(0.348, "D", "from densities"),
        active_fraction=Given(0.6215, "D", TEARDOWN),
        radius=Given(0.5e-6, "A", "primary particles decide", (0.1e-6, 2e-6)),
        c_max=Given(
            12328.0, "D", "112 mAh/g over the window of the OCP, at 2950 kg/m3"
        ),
        conductivity=SMALL_CELL.positive.conductivity,
        charge_transfer=Given(8e-4, "A", "between 18650 and automotive", (3e-4, 20e-4)),
        diffusivity=Given(
            1e-15, "A", "does not limit in such particles", (1e-17, 1e-13)
        ),
        ocp=("nfpp_ocp.csv", "our MSMR fit of NFPP"),
    ),
    separator=Given(11e-6, "A", "as the 18650", (9e-6, 16e-6)),
    area=Given(0.563, "D", TEARDOWN),
    contact_resistance=Given(2e-3, "A", "typical of the format", (1e-3, 6e-3)),
    mass=Given(0.219, "D", "energy model of the design: 8.1 A.h, 103 Wh/kg"),
    cooling=Given(0.157, "A", "10 W/m2/K over a 32140", (0.08, 0.8)),
    window=(Given(1.5, "S", "data sheets"), Given(3.7, "S", "data sheets")),
    nominal_capacity=Given(8.0, "S", "class of the cell"),
    charged=(Given(0.82, "A", BEGIN, (0.7, 0.95)), Given(0.02, "A", BEGIN, (0.0, 0.1))),
)


def build() -> ParameterSet:
    """The set."""
    return _constructed.build(__name__, DESIGN)
