"""Cells with further physics. All default numbers here are assumed (quality A).

No rates of plating or SEI growth are published for sodium cells: the numbers come from
lithium models or from orders of magnitude, in the ranges given. They show the effect of a
part; how large it is in a real cell, a fit or a study over the range has to tell.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._takes import takes
from ..physics.double_layer import AT
from ..physics.sei import AbstractGrowth, SolventDiffusion
from ..physics.store import AbstractStore
from ..physics.surface import AbstractSurfaceProcess
from ..properties import Arrhenius, Property, constant
from ._cell import (
    SEI,
    Cell,
    DoubleLayer,
    Electrode,
    Hysteresis,
    Plating,
    ThroughPlane,
)
from ._charge_transfer import charge_transfer_resistances

Number = float | Array


@takes
def with_hysteresis(
    cell: Cell,
    negative: Number | Property | None = 0.015,
    positive: Number | Property | None = 0.010,
    *,
    decay: Number = 30.0,
    initial: tuple[Number, Number] = (0.0, 0.0),
) -> Cell:
    """The cell with hysteresis: its open-circuit potentials have two branches.

    Args:
        cell: the cell without it.
        negative: half-width H of the negative electrode [V], or a property of its
            stoichiometry; none: no hysteresis. Hard carbon has 0.010 to 0.020.
        positive: half-width of the positive electrode; layered oxides have 0.010, and
            below 35 % SOC 0.030 to 0.040 (incremental OCV of a Hakadi cell).
        decay: decay rate gamma, 10 to 50.
        initial: initial states of both electrodes, -1 to 1: (-1, 1) after a charge,
            (1, -1) after a discharge.
    """

    def part(width: Number | Property, e: Electrode, start: Number) -> Hysteresis:
        one_c = cell.nominal_capacity / (cell.area * e.interface * e.thickness)
        return Hysteresis(
            half_width=width if isinstance(width, Property) else constant(width),
            decay=jnp.asarray(decay, float),
            # From about a hundredth of 1C on, the direction of a current decides the branch.
            threshold=0.01 * one_c,
            initial=jnp.asarray(start, float),
        )

    for of, half_width, start in (
        (_negative, negative, initial[0]),
        (_positive, positive, initial[1]),
    ):
        if half_width is not None:
            new = part(half_width, of(cell), start)
            cell = _put(lambda c, of=of: of(c).particle.hysteresis, cell, new)
    return cell


@takes
def with_plating(
    cell: Cell,
    *,
    rate_constant: Number = 1e-10,
    energy: Number = 35e3,
    loss: Number = 1e-6,
) -> Cell:
    """The cell with plating and stripping of its metal on the negative electrode.

    Args:
        cell: the cell without it.
        rate_constant: k_pl [m.s-1]; lithium models use 1e-11 to 1e-9.
        energy: activation energy of k_pl [J.mol-1], 20e3 to 60e3.
        loss: rate at which plated metal loses contact [s-1], 1e-7 to 1e-5.
    """
    a = jnp.asarray
    plating = Plating(
        rate_constant=constant(rate_constant, Arrhenius(a(energy), cell.temperature)),
        transfer=a(0.5),
        saturation=a(1e-3),
        loss=a(loss, float),
    )
    return _put(lambda c: c.negative.plating, cell, plating)


@takes
def with_sei(
    cell: Cell,
    growth: AbstractGrowth | None = None,
    *,
    thickness: Number = 10e-9,
    conductivity: Number = 1e-5,
    dissolution: Number = 0.0,
) -> Cell:
    """The cell with a film (SEI) that grows on the negative electrode.

    Args:
        cell: the cell without it.
        growth: growth law; none: solvent diffusion with 2.5e-19 mol.m-1.s-1, which doubles
            10 nm in five months.
        thickness: initial thickness [m], 2e-9 to 30e-9.
        conductivity: ionic conductivity of the film [S.m-1], 1e-6 to 1e-4.
        dissolution: rate of dissolution [s-1]; films in sodium cells dissolve faster than
            in lithium cells (Mogensen et al., ACS Energy Lett. 2016).
    """
    a = jnp.asarray
    sei = SEI(
        growth=SolventDiffusion(a(2.5e-19)) if growth is None else growth,
        thickness=a(thickness, float),
        conductivity=constant(conductivity),
        molar_volume=a(9.6e-5),
        electrons=a(2.0),
        dissolution=a(dissolution, float),
        inner_thickness=a(2e-9),
        grown=a(0.0),
    )
    return _put(lambda c: c.negative.sei, cell, sei)


@takes
def with_double_layer(
    cell: Cell,
    capacitance: Number = 0.2,
    exponent: Number = 1.0,
    reference_frequency: Number | None = None,
) -> Cell:
    """A cell whose particle surfaces hold charge: for milliseconds, and for impedance.

    With an exponent below one they are constant-phase elements in impedance, whose arcs
    are depressed; see `physics.double_layer.DoubleLayer`. In time they are capacitors.

    Args:
        cell: as it is without.
        capacitance: of both electrodes, for each area of particle [F.m-2], 0.1 to 0.3.
        exponent: of both, 0.5 to 1; measured arcs mostly have 0.7 to 0.95.
        reference_frequency: at which the capacitance holds if the exponent is below one
            [Hz]; none: of each electrode the top of its arc,
            1/(2 pi R_ct capacitance), with the resistance of charge transfer at half
            charge and the cell's own temperature.
    """
    at: dict[str, Number] = dict.fromkeys(("negative", "positive"), AT)
    if reference_frequency is not None:
        at = dict.fromkeys(at, reference_frequency)
    else:
        R = charge_transfer_resistances(cell, cell.temperature)
        for side, own in R.items():
            f = 1.0 / (2.0 * jnp.pi * own * capacitance)
            at[side] = jnp.where(jnp.isfinite(f) & (f > 0.0), f, AT)
    for side, f in at.items():
        each = (jnp.asarray(x, float) for x in (capacitance, exponent, f))
        layer = DoubleLayer(*(jnp.broadcast_to(x, np.shape(cell.area)) for x in each))
        cell = _put(lambda c, side=side: getattr(c, side).double_layer, cell, layer)
    return cell


@takes
def with_process(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    process: AbstractSurfaceProcess | AbstractStore,
) -> Cell:
    """The cell with a further process in one electrode, such as one of your own.

    Args:
        cell: the cell without it.
        electrode: the electrode.
        process: a process at the surfaces of all its particles, or a store inside the
            particles of its first material.

    Raises:
        TypeError: for anything else.
        ValueError: where the particles have a store already.
    """
    given: Electrode = getattr(cell, electrode)
    if isinstance(process, AbstractSurfaceProcess):
        new = dataclasses.replace(given, surface=(*given.surface, process))
    elif given.particle.pores is not None:
        raise ValueError(
            f"The {electrode} particles have a store, {type(given.particle.pores).__name__}; "
            "they can have one."
        )
    else:
        particle = dataclasses.replace(given.particle, pores=process)
        new = dataclasses.replace(given, particle=particle)
    return dataclasses.replace(cell, **{electrode: new})


FOILS = 20e-6
"""Thickness of foil in one unit of a stack, half of each current collector [m], assumed
(A)."""


@takes
def with_heat_through_stack(
    cell: Cell,
    thickness: Number,
    *,
    conductivity: Number = 0.8,
    first: Number = 0.5,
    last: Number = 0.5,
) -> Cell:
    """A flat cell whose layers differ in temperature; for the model `ThroughStack`.

    Args:
        cell: the cell with one temperature.
        thickness: thickness of the stack of layers, H [m].
        conductivity: thermal conductivity through the layers, lambda_z [W.m-1.K-1], 0.5 to
            1.2.
        first: share of the cell's cooling at the first face, 0 to 1.
        last: share at the other face; the rest is at the edges.

    Raises:
        ValueError: for a stack that is thinner than one unit of it, or shares that are
            negative or together above one.
    """
    layers = cell.negative.thickness + cell.separator.thickness
    unit = layers + cell.positive.thickness + FOILS
    concrete = not any(isinstance(a, Tracer) for a in (thickness, first, last, unit))
    if concrete and not thickness >= unit:
        raise ValueError(
            f"thickness={thickness} m of the stack: expected at least that of one unit, "
            f"{float(unit):.3g} m. It is in metres."
        )
    if concrete and not (first >= 0.0 and last >= 0.0 and first + last <= 1.0):
        raise ValueError(
            f"first={first}, last={last}: expected shares of the cell's cooling, from "
            "zero, together at most one."
        )
    face = cell.area * unit / thickness
    through = ThroughPlane(
        *(jnp.asarray(x, float) for x in (conductivity * face / thickness, first, last))
    )
    return _put(lambda c: c.thermal.through_plane, cell, through)


def _negative(cell: Cell) -> Electrode:
    return cell.negative


def _positive(cell: Cell) -> Electrode:
    return cell.positive


def _put(where: Callable[[Cell], object], cell: Cell, part: object) -> Cell:
    return eqx.tree_at(where, cell, part, is_leaf=lambda x: x is None)
