"""Half cells: an electrode against its metal, as a cell whose negative electrode is metal.

The metal is a thin layer with one square metre of surface for each square metre of electrode,
a potential of 0 V, kinetics of its own, and much more sodium than the electrode can take. As
it is the negative electrode, all conventions of cells hold: a discharge (positive current)
puts sodium into the working electrode, and the voltage is the potential of that electrode
against the metal.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._cautions import caution
from ..mesh import Mesh
from ..physics.kinetics import MetalButlerVolmer
from ..properties import constant
from ._balance import (
    AFTER_CHARGE,
    AFTER_DISCHARGE,
    electrode_capacities,
    equilibrium_potential,
    stoichiometries_at_limits,
)
from ._cell import (
    Cell,
    Defaults,
    Electrode,
    Limits,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
)
from ._known import is_half_cell
from ._metals import sodium_metal
from ._numbers import check_as

Number = float | Array

THIN = 1e-8
"""Thickness of the layer that stands for the metal [m]. It is so thin that the salt in it
and the drop of potential along it are negligible beside those of a separator."""

PLENTY = 1e4
"""Inventory of the metal over what the working electrode can take: its stoichiometry of
one half stays so to 0.0001, on which nothing depends."""

LARGE = 0.02
"""Half cells are smaller [m2]: coins have 1e-4 to 3e-4, laboratory pouches up to 1e-2."""

HARD_CARBON = 0.0, 2.0
"""Usual voltage limits of half cells of a negative electrode [V]."""


def half_cell(
    cell: Cell,
    electrode: Literal["negative", "positive"] = "negative",
    *,
    metal: MetalButlerVolmer | None = None,
    area: Number | None = None,
    separator: Separator | None = None,
    limits: Sequence[Number] | None = None,
    contact_resistance: Number = 0.0,
) -> Cell:
    """Make a half cell: one electrode of a cell against metal, in the cell's electrolyte.

    The working electrode is the half cell's `positive`, as in PyBaMM, since its potential
    is above that of the metal. A discharge (positive current) puts sodium into it and
    lowers the voltage; for hard carbon that is sodiation, from 2 V to 0 V. At SOC 1 the
    half cell rests at its upper voltage limit, with the electrode empty; at SOC 0 it rests
    at its lower limit, or as near as the potential of the electrode comes to it. "charged"
    and "discharged" mean these two states.

    1C is the capacity of the electrode between both limits. Half cells are isothermal and
    have no contact resistance unless one is given; their mass is that of the cell, scaled
    by area.

    Args:
        cell: a full cell.
        electrode: which of its electrodes works against the metal.
        metal: kinetics of the metal; none: `sodium_metal()`, an assumption. For lithium
            use `lithium_metal()`.
        area: area of the electrode [m2]; none: the cell's. A coin of 16 mm has 2.01e-4.
        separator: the separator; none: the cell's. Glass fibre is 2e-4 to 7e-4 m thick.
        limits: lower and upper voltage limit [V]; none: 0 and 2 V for the negative
            electrode, the potentials at the cell's limits for the positive one.
        contact_resistance: contact resistance of the half cell [ohm].

    Raises:
        TypeError: for what is not a cell, or kinetics that are not those of a metal.
        ValueError: for an unknown electrode, a cell that is a half cell already, or
            impossible numbers.

    Example:
        half = half_cell(load("nfm_hc_18650"), "negative", area=2.01e-4)
        naion.simulate(half, "Discharge at C/20 until 0.01 V")
    """
    _check(cell, electrode, metal, limits)
    given: Electrode = getattr(cell, electrode)
    low, high = _limits(cell, electrode) if limits is None else limits
    _number("area", 0.0 if area is None else area, "square metres")
    _number("contact_resistance", contact_resistance, "ohms")
    size = jnp.asarray(cell.area if area is None else area, float)
    if area is not None:
        _doubt_area(size, cell.area)
    share = size / cell.area
    thermal = Thermal(
        cell.thermal.mass * share,
        cell.thermal.specific_heat,
        cell.thermal.cooling * share,
    )
    half = Cell(
        negative=metal_electrode(given, sodium_metal() if metal is None else metal),
        separator=cell.separator if separator is None else separator,
        positive=given,
        electrolyte=cell.electrolyte,
        area=size,
        contact_resistance=constant(contact_resistance),
        thermal=thermal,
        limits=Limits(jnp.asarray(low, float), jnp.asarray(high, float)),
        nominal_capacity=jnp.ones(()),
        temperature=cell.temperature,
        published=Stoichiometry(jnp.asarray(0.5), getattr(cell.published, electrode)),
        kinetics=cell.kinetics,
        defaults=Defaults(_mesh(cell.defaults.mesh, electrode)),
    )
    empty, full = stoichiometries_at_limits(half)
    _, sites = electrode_capacities(half)
    capacity = sites * (empty.positive - full.positive)
    if not isinstance(capacity, Tracer) and float(capacity) == 0.0 < float(size):
        T = cell.temperature
        ends = (
            equilibrium_potential(given, jnp.asarray(x), T, T, AFTER_CHARGE)
            for x in (0.99, 0.01)
        )
        raise ValueError(
            f"limits={float(low):g} to {float(high):g} V: the {electrode} electrode takes "
            f"nothing there; its potential is {' to '.join(f'{float(U):.3g}' for U in ends)} "
            "V."
        )
    half = dataclasses.replace(half, nominal_capacity=capacity)
    check_as(half, Cell)
    return half


def require_full_cell(cell: Any, what: str, name: str = "This cell") -> None:
    """Raise for anything but a full cell.

    Args:
        cell: what was given.
        what: what the cell is for, for messages: "A duty".
        name: how messages call the cell.

    Raises:
        TypeError: for what is not a cell.
        ValueError: for a half cell.
    """
    if not isinstance(cell, Cell):
        raise TypeError(
            f'{what} needs a `Cell`, such as `naion.load("nfm_hc_18650")`; got '
            f"{str(cell)[:60]!r}, a {type(cell).__name__}."
        )
    if is_half_cell(cell):
        raise ValueError(
            f"{name} is a half cell, an electrode against metal: {what[:1].lower()}"
            f"{what[1:]} needs a full cell."
        )


def _check(cell: Any, electrode: Any, metal: Any, limits: Any) -> None:
    """Raise for arguments of which no half cell can be made; errors as of `half_cell`."""
    if not isinstance(cell, Cell):
        raise TypeError(
            f"cell={str(cell)[:60]!r} is a {type(cell).__name__}: expected a `Cell`, such "
            'as `naion.load("nfm_hc_18650")`.'
        )
    if electrode not in ("negative", "positive"):
        raise ValueError(
            f"electrode={electrode!r}: expected 'negative' or 'positive', the electrode of "
            "the cell that works against the metal."
        )
    if is_half_cell(cell):
        raise ValueError(
            "This cell is a half cell; expected a full cell, from which one is made."
        )
    if np.shape(cell.area):
        raise ValueError(
            f"This cell has numbers of shape {np.shape(cell.area)}; many half cells are "
            "made by `jax.vmap`, or one after the other."
        )
    if metal is not None and not isinstance(metal, MetalButlerVolmer):
        raise TypeError(
            f"metal={metal!r:.60} is a {type(metal).__name__}: expected the kinetics of a "
            "metal, such as `sodium_metal()`, `lithium_metal()` or "
            "`metal_kinetics(10.0, 0.5)`."
        )
    if limits is None:
        return
    if isinstance(limits, str) or np.shape(limits) != (2,):
        raise ValueError(
            f"limits={limits!r}: expected the lower and the upper voltage, (0.0, 2.0)."
        )
    low, high = (
        _number("limits", x, "the lower and the upper voltage") for x in limits
    )
    known = not (isinstance(low, Tracer) or isinstance(high, Tracer))
    if known and not float(low) < float(high):
        raise ValueError(
            f"limits={limits!r}: expected the lower voltage first, then a higher one."
        )


def _number(name: str, value: Any, words: str) -> Any:
    """The value itself.

    Raises:
        ValueError: unless it is a single number.
    """
    if isinstance(value, str | bytes | bool) or np.shape(value) != ():
        raise ValueError(f"{name}={value!r:.60}: expected {words}, a number.")
    return value


def _doubt_area(area: Array, of_cell: Array) -> None:
    """A caution of an area that is none of a half cell's, nor the cell's own."""
    if isinstance(area, Tracer) or isinstance(of_cell, Tracer):
        return
    A = float(area)
    if A > LARGE and not np.isclose(A, float(of_cell)):
        caution(
            f"area={A:g} m2 of a half cell is {1e4 * A:,.0f} cm2: is it in cm2? Expected "
            "square metres; a coin of 16 mm has 2.01e-4.",
        )


def _limits(cell: Cell, electrode: str) -> tuple[Number, Number]:
    """Voltages between which half cells of this electrode are usually cycled [V]."""
    if electrode == "negative":
        return HARD_CARBON
    empty, full = stoichiometries_at_limits(cell)

    def potential(at: Stoichiometry, branch: float) -> Array:
        x, T = at.positive, cell.temperature
        return equilibrium_potential(cell.positive, x, T, T, branch)

    return potential(empty, AFTER_DISCHARGE), potential(full, AFTER_CHARGE)


def metal_electrode(working: Electrode, kinetics: MetalButlerVolmer) -> Electrode:
    """A layer of metal as a negative electrode; see the header of this module.

    Args:
        working: the working electrode, whose capacity the metal exceeds by far.
        kinetics: kinetics of the metal.
    """
    share = jnp.asarray(0.5)
    sites = sum(
        (m.active_fraction * m.particle.c_max for m in working.materials),
        start=jnp.zeros(()),
    )
    particle = Particle(
        radius=3.0 * share * THIN,
        c_max=PLENTY * working.thickness * sites / (share * THIN),
        diffusivity=constant(1e-14),
        ocp=constant(0.0),
        dudt=constant(0.0),
        rate_constant=constant(1.0),
        film_resistance=constant(0.0),
    )
    return Electrode(
        thickness=jnp.asarray(THIN),
        porosity=share,
        active_fraction=share,
        transport_efficiency=jnp.ones(()),
        conductivity=jnp.ones(()),
        particle=particle,
        kinetics=kinetics,
    )


def _mesh(mesh: Mesh, electrode: str) -> Mesh:
    """A mesh that is as fine in the working electrode as that of the full cell."""
    n = mesh.n_neg if electrode == "negative" else mesh.n_pos
    return Mesh(2, mesh.n_sep, n, mesh.n_r, mesh.grading)
