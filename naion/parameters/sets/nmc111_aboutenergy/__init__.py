"""NMC111 / graphite, 12.5 A.h pouch, About:Energy 2022. Licence CC BY-SA 4.0, see LICENSE."""

from ..._registry import ParameterSet
from .._aboutenergy import PAPER, Side, Whole
from .._aboutenergy import build as build_from
from .._constructed import Given


def build() -> ParameterSet:
    """The set."""
    return build_from(
        __name__,
        "NMC111 / graphite, 12.5 A.h pouch (lithium reference)",
        Whole(
            t_plus=0.2594,
            area=34 * 0.016808,
            mass=Given(
                1847.0 * 1.28e-4,
                "D",
                f"1847 kg/m3 times 1.28e-4 m3: {PAPER}; its parts, summed with usual "
                "densities, foils and laminate, come to the same within 2 %",
            ),
            specific_heat=913.0,
            surface=0.0379,
            window=(2.7, 4.2),
            capacity=12.5,
        ),
        negative=Side(
            material="graphite",
            radius=4.12e-6,
            thickness=56.2e-6,
            D_s=2.728e-14,
            E_D=30e3,
            rate=5.199e-6,
            E_k=55e3,
            interface=499522.0,
            porosity=0.253991,
            efficiency=0.128,
            sigma=0.222,
            c_max=29730.0,
            charged=0.75668,
        ),
        positive=Side(
            material="nmc111",
            radius=4.6e-6,
            thickness=52.3e-6,
            D_s=3.2e-14,
            E_D=15e3,
            rate=2.305e-5,
            E_k=35e3,
            interface=432072.0,
            porosity=0.277493,
            efficiency=0.1462,
            sigma=0.789,
            c_max=46200.0,
            charged=0.42424,
            dudt=-1e-4,
        ),
    )
