"""Layered oxide NaNi1/3Fe1/3Mn1/3O2 / hard carbon, commercial 1.5 A.h 18650.

Constructed: teardown geometry, our own fits of half-cell curves, resistances derived
from measured pulses, and many assumed numbers. A starting point for fits, not a cell.
"""

from ..._registry import ParameterSet
from .. import _constructed
from .._constructed import Coat, Design, Given

TEARDOWN = (
    "teardown of the 1.5 A.h 18650: loading 9.38 / 17.57 mg/cm2 at 0.95 / 2.64 g/cm3, "
    "RSC EES Batteries 2026, DOI 10.1039/D5EB00161G"
)
PULSES = (
    "asinh decomposition of 1 s pulse resistances at 15/25/45 degC, TU Berlin data, "
    "DOI 10.14279/depositonce-25036"
)
OCV_FIT = "balance fitted to the incremental OCV of a Hakadi cell (14 mV RMSE)"
BOUND = "lower bound only: solid diffusion does not show up to 1.5C"
OXIDE_OCP = "our MSMR fit of NFM111 B, its window at y = 0.43 + 0.55 x of Na_y"
ENTROPY = (
    "full-cell dU/dT of TU Berlin data, DOI 10.14279/depositonce-25036, mean of both "
    "branches, all of it given to the positive electrode"
)

DESIGN = Design(
    title="NaNi1/3Fe1/3Mn1/3O2 / hard carbon, 1.5 A.h commercial 18650 (constructed)",
    negative=Coat(
        thickness=Given(98.7e-6, "M", TEARDOWN),
        porosity=Given(0.372, "D", "from densities"),
        active_fraction=Given(0.602, "D", TEARDOWN),
        radius=Given(4.5e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(15150.0, "F", OCV_FIT),
        conductivity=Given(100.0, "A", "carbon", (30.0, 300.0)),
        charge_transfer=Given(16.6e-4, "D", PULSES),
        diffusivity=Given(150.0, "F", BOUND),
        ocp=("hc_ocp.csv", "our MSMR fit of hard carbon D1"),
    ),
    positive=Coat(
        thickness=Given(66.5e-6, "M", TEARDOWN),
        porosity=Given(0.355, "D", "from densities"),
        active_fraction=Given(0.603, "D", TEARDOWN),
        radius=Given(4.0e-6, "A", "typical powder", (2e-6, 8e-6)),
        c_max=Given(38123.0, "D", "4250 kg/m3 over 111.48 g/mol"),
        conductivity=Given(10.0, "A", "oxide with carbon black", (1.0, 100.0)),
        charge_transfer=Given(16.6e-4, "D", PULSES),
        diffusivity=Given(1.5e-13, "F", BOUND),
        ocp=("nfm_ocp.csv", OXIDE_OCP),
        window=(0.43, 0.55),
        dudt=("nfm_dudt.csv", ENTROPY),
    ),
    separator=Given(11e-6, "M", TEARDOWN),
    area=Given(0.0650, "M", TEARDOWN),
    contact_resistance=Given(0.037, "D", f"24 ohm.cm2 of contact and film: {PULSES}"),
    mass=Given(0.037, "M", "weighed, 36.5-37.5 g"),
    cooling=Given(12 * 4.18e-3, "A", "12 W/m2/K over 41.8 cm2", (0.02, 0.2)),
    window=(Given(1.5, "S", "data sheet"), Given(4.1, "S", "data sheet")),
    nominal_capacity=Given(1.5, "S", "data sheet"),
    charged=(Given(0.992, "F", OCV_FIT), Given(0.404, "F", OCV_FIT)),
    charge_transfer_energy=Given(67e3, "D", PULSES),
    contact_energy=Given(-25e3, "D", f"20-30 kJ/mol: {PULSES}"),
)


def build() -> ParameterSet:
    """The set."""
    return _constructed.build(__name__, DESIGN)
