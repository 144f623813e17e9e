"""What the fits of two commercial layered-oxide 18650 cells have in common."""

import equinox as eqx
import jax.numpy as jnp

from ..fit import FreeParameter, with_ocp_correction
from ..parameters import Cell, load, with_hysteresis
from ..properties import Property, Table

KNOTS = {
    "negative": [0, 0.015, 0.03, 0.05, 0.07, 0.1, 0.13, 0.17, 0.22, 0.3, 0.42, 0.55]
    + [0.7, 0.85, 0.93, 1.0],
    "positive": [0.38, 0.395, 0.41, 0.425, 0.44, 0.455, 0.47, 0.485, 0.5]
    + [0.5327 + 0.03267 * i for i in range(15)],
}
"""Stoichiometries at which open-circuit potentials may be corrected."""

RATE_KNOTS = {
    "negative": [0.0, 0.03, 0.06, 0.12, 0.2, 0.3, 0.5, 0.7, 0.85, 0.93, 1.0],
    "positive": [0.38, 0.42, 0.46, 0.5, 0.6, 0.8, 0.9, 0.97],
}
"""Stoichiometries at which rate constants are free: resistances fall towards the charged
end and rise towards the discharged one."""

BRANCHES = {0.4: 0.010, 0.55: 0.010, 0.7: 0.010, 0.85: 0.030, 0.97: 0.035}
"""Half-widths of the oxide's hysteresis by stoichiometry, at which they are free [V].

From the incremental open-circuit voltage of a Hakadi cell: 10 mV above 35 % state of
charge, 30 to 40 mV below.
"""


def start_cell(rates: bool = True) -> Cell:
    """The constructed set with free curves.

    Args:
        rates: give rate constants their own dependence on composition.
    """
    cell = load("nfm_hc_18650")
    for side in ("negative", "positive"):
        cell = with_ocp_correction(cell, side, KNOTS[side])
        if rates:
            x = jnp.asarray(RATE_KNOTS[side])
            k_0 = getattr(cell, side).particle.rate_constant
            table = Table(x, k_0(x, cell.temperature), extrapolation="clamp")
            cell = eqx.tree_at(
                lambda c, side=side: getattr(c, side).particle.rate_constant.curve,
                cell,
                table,
            )
    return cell


def with_branches(cell: Cell) -> Cell:
    """The oxide with two branches, after a charge."""
    x, H = (jnp.asarray(list(a)) for a in (BRANCHES, BRANCHES.values()))
    width = Property(Table(x, H, extrapolation="clamp"))
    return with_hysteresis(cell, None, width, decay=10.0, initial=(0.0, 1.0))


def _both(what: str, *rest) -> tuple[FreeParameter, ...]:
    sides = ("negative", "positive")
    return tuple(FreeParameter((f"cell.{s}.particle.{what}",), *rest) for s in sides)


BALANCE = (
    FreeParameter(("cell.published.positive",), (0.2, 0.5)),
    FreeParameter(("cell.negative.particle.c_max",), (12e3, 19e3), "log", 0.08),
    FreeParameter(("cell.positive.active_fraction",), (0.50, 0.70), "log", 0.05),
)
"""How much sodium the cell has, and where."""

SHAPES = (
    *_both("ocp.curve.correction.y", (-0.3, 0.3), "linear", 0.04, 0.03),
    *_both("rate_constant.curve.y", (1e-13, 1e-7), "log", 0.8, 0.7),
)
"""Curves in composition."""

TRANSPORT = (
    FreeParameter(("cell.contact_resistance.scale",), (0.05, 4.0), "log", 0.7),
    *_both("diffusivity.scale", (0.005, 20.0), "log", 1.5),
    FreeParameter(("cell.electrolyte.conductivity.scale",), (0.3, 2.0), "log", 0.3),
)
"""Resistances and diffusion. Diffusivities of sodium in hard carbon are reported from
2.6e-16 m2/s (Electrochim. Acta 404 (2022) 139764) to 1e-13, by the radius that is assumed: a
range of 400, four standard deviations."""

HYSTERESIS = (
    FreeParameter(
        ("cell.positive.particle.hysteresis.half_width.curve.y",),
        (0.001, 0.12),
        "log",
        0.5,
    ),
    FreeParameter(
        ("cell.positive.particle.hysteresis.decay",), (5.0, 100.0), "log", 0.5
    ),
)
"""The oxide's two branches."""

CHARGE_TRANSFER, CONTACT = 65e3, -20e3
"""Energies around which charge transfer and contacts are believed to be [J/mol], from cells
that are not fitted: 55 for sodium into hard carbon (diluted electrodes, Chem. Sci. 2025), 60
to 70 for lithium into non-graphitisable carbon (Carbon 2004), 80 to 107 in another sodium
18650 (J. Electrochem. Soc. 2025, adfd16). Of contacts only the ends are known: metals (0)
and films (-50)."""

TEMPERATURE = (
    *_both("rate_constant.temperature.energy", (20e3, 120e3), "linear", 15e3),
    FreeParameter(
        ("cell.contact_resistance.temperature.energy",), (-60e3, 5e3), "linear", 15e3
    ),
    *_both("diffusivity.temperature.energy", (10e3, 70e3), "linear", 15e3),
    FreeParameter(
        ("cell.electrolyte.conductivity.temperature.pseudo_energy",),
        (150.0, 900.0),
        "linear",
        120.0,
    ),
)
"""One law for each process. Priors: charge transfer and contacts see `CHARGE_TRANSFER`;
diffusion from the few energies reported, 16 and 55 kJ/mol for sodium in hard carbon, 65 for
lithium in the same; bounds a little beyond."""


def with_believed_energies(cell: Cell) -> Cell:
    """The cell with laws in temperature as they are believed to be before any fit.

    Those of the set come from pulses of the TU Berlin cell, which they would help to predict.
    """
    laws = (
        lambda c: c.negative.particle.rate_constant.temperature.energy,
        lambda c: c.positive.particle.rate_constant.temperature.energy,
        lambda c: c.contact_resistance.temperature.energy,
    )
    values = map(jnp.asarray, (CHARGE_TRANSFER, CHARGE_TRANSFER, CONTACT))
    return eqx.tree_at(lambda c: [law(c) for law in laws], cell, list(values))


FREE = (*BALANCE, *SHAPES, *TRANSPORT)
"""Free parameters of both cells. Laws in temperature are free where temperatures differ: a
cell that warms itself a little would bend them to mend other errors."""
