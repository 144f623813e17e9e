"""Cu-Fe-Mn layered oxide / hard carbon, 10 A.h cylindrical 32140 (HiNa NaCR32140-MP10).

The oxide's potential is derived from the cell's measured C/50 curve with the potential
of hard carbon D1 and the balance that makes it smoothest; geometry and kinetics are assumed.
"""

from ..._registry import ParameterSet
from .. import _constructed
from .._constructed import Coat, Design, Given
from ..nfm_hc_18650 import DESIGN as SMALL_CELL

RECORD = (
    "SINTEF record of HiNa NaCR32140-MP10 in battery-data-alliance/battery-data-format, "
    "CC BY 4.0"
)
CHOICE = "such that the mass model gives the cell's 0.270 kg"
BALANCE = "balance that makes the oxide's derived potential smoothest"

DESIGN = Design(
    title="Cu-Fe-Mn oxide / hard carbon, 10 A.h cylindrical, HiNa (assumed kinetics)",
    negative=Coat(
        thickness=Given(77.9e-6, "A", "such that Q_n is 12.4 A.h", (72e-6, 90e-6)),
        porosity=Given(0.327, "A", "as nfm_hc_prismatic", (0.28, 0.38)),
        active_fraction=Given(0.646, "A", "as nfm_hc_prismatic", (0.60, 0.68)),
        radius=Given(4.5e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(17014.0, "D", "304 mAh/g at 1500 kg/m3"),
        conductivity=SMALL_CELL.negative.conductivity,
        charge_transfer=Given(8e-4, "A", "between 18650 and automotive", (3e-4, 20e-4)),
        diffusivity=Given(150.0, "A", "as in nfm_hc_18650", (0.1, 10.0)),
        ocp=("../nfm_hc_18650/hc_ocp.csv", "our MSMR fit of hard carbon D1"),
    ),
    positive=Coat(
        thickness=Given(63.9e-6, "A", "such that Q_p is 10.85 A.h", (58e-6, 72e-6)),
        porosity=Given(0.341, "A", "2.7 g/cm3", (0.28, 0.38)),
        active_fraction=Given(0.616, "A", "2.7 g/cm3", (0.57, 0.66)),
        radius=Given(4.0e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(19617.0, "D", "120 mAh/g over 97 % of the sites, at 4250 kg/m3"),
        conductivity=SMALL_CELL.positive.conductivity,
        charge_transfer=Given(8e-4, "A", "between 18650 and automotive", (3e-4, 20e-4)),
        diffusivity=Given(1.5e-13, "A", "as nfm_hc_18650", (1.5e-14, 1.5e-12)),
        ocp=("cfm_ocp.csv", f"C/50 curve of the cell plus hard carbon D1: {RECORD}"),
        window=(0.01, 0.97),
    ),
    separator=Given(11e-6, "A", "as the 18650", (9e-6, 16e-6)),
    area=Given(0.5403, "A", CHOICE, (0.48, 0.60)),
    contact_resistance=Given(2e-3, "A", "typical of the format", (1e-3, 6e-3)),
    mass=Given(0.270, "M", RECORD),
    cooling=Given(0.157, "A", "10 W/m2/K over a 32140", (0.08, 0.8)),
    window=(Given(1.5, "S", RECORD), Given(3.95, "S", RECORD)),
    nominal_capacity=Given(10.0, "S", RECORD),
    charged=(Given(0.88, "F", BALANCE), Given(0.01, "D", "window of the OCP")),
)


def build() -> ParameterSet:
    """The set."""
    return _constructed.build(__name__, DESIGN)
