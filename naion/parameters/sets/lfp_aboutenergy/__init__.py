"""LFP / graphite, 2 A.h 18650, About:Energy 2022. Licence CC BY-SA 4.0, see LICENSE."""

from ..._registry import ParameterSet
from .._aboutenergy import Side, Whole
from .._aboutenergy import build as build_from


def build() -> ParameterSet:
    """The set."""
    return build_from(
        __name__,
        "LiFePO4 / graphite, 2 A.h 18650 (lithium reference)",
        Whole(
            t_plus=0.259,
            area=0.08959998,
            volume=1.7e-5,
            density=1940.0,
            specific_heat=999.0,
            surface=0.00431,
            window=(2.0, 3.65),
            capacity=2.0,
        ),
        negative=Side(
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
        ),
        positive=Side(
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
        ),
    )
