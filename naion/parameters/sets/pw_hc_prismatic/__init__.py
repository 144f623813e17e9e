"""Prussian white / hard carbon, 190 A.h prismatic cell: an assumed design."""

from ..._registry import ParameterSet
from .. import _constructed
from .._constructed import Coat, Design, Given
from ..nfm_hc_18650 import DESIGN as SMALL_CELL
from ..nfm_hc_prismatic import NEGATIVE

CHOICE = "design choice: 16 mg/cm2 at 1.35 g/cm3"
BEGIN = "assumed charged state"

DESIGN = Design(
    title="Prussian white / hard carbon, 190 A.h prismatic (assumed design)",
    negative=NEGATIVE._replace(
        thickness=Given(93e-6, "A", "balance of the assumed design", (80e-6, 110e-6)),
        ocp=("../nfm_hc_prismatic/hc_ocp.csv", "our MSMR fit of hard carbon A"),
    ),
    positive=Coat(
        thickness=Given(118e-6, "A", CHOICE, (100e-6, 140e-6)),
        porosity=Given(0.30, "A", CHOICE, (0.25, 0.38)),
        active_fraction=Given(0.62, "A", CHOICE, (0.55, 0.66)),
        radius=Given(1.5e-6, "A", "typical powder", (0.3e-6, 4e-6)),
        c_max=Given(11940.0, "D", "152 mAh/g over 95 % of the sites, at 2000 kg/m3"),
        conductivity=SMALL_CELL.positive.conductivity,
        charge_transfer=Given(8e-4, "A", "between 18650 and automotive", (3e-4, 20e-4)),
        diffusivity=Given(1e-14, "A", "not known", (1e-15, 1e-12)),
        ocp=("pw_ocp.csv", "our MSMR fit of Prussian white"),
        window=(0.05, 0.95),
    ),
    separator=Given(12e-6, "A", "as nfm_hc_prismatic", (9e-6, 16e-6)),
    area=Given(9.0, "A", "one box", (8.0, 10.0)),
    contact_resistance=Given(1e-4, "A", "typical of the format", (0.5e-4, 3e-4)),
    mass=Given(
        3.85, "A", "coats, foils, 4 g/A.h of electrolyte, 0.5 kg of box", (3.5, 4.3)
    ),
    cooling=Given(1.26, "A", "10 W/m2/K over 174 x 71.5 x 205 mm", (0.6, 25.0)),
    window=(Given(1.8, "A", CHOICE, (1.5, 2.0)), Given(3.7, "A", CHOICE, (3.6, 3.8))),
    nominal_capacity=Given(190.0, "D", "simulated at 1C"),
    charged=(
        Given(0.86, "A", BEGIN, (0.75, 0.95)),
        Given(0.069, "A", BEGIN, (0.03, 0.15)),
    ),
)


def build() -> ParameterSet:
    """The set."""
    return _constructed.build(__name__, DESIGN)
