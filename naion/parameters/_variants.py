"""Cells with further parts of the physics. All numbers here are assumed (quality A).

No sodium cell has published rates of plating or of SEI growth: the numbers come from
lithium models or from orders of magnitude, with the ranges given. They show what a part
does; a fit, or a range of answers, has to decide what it is worth.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from .._takes import takes
from ..physics.pores import PoreFilling
from ..physics.sei import AbstractGrowth, SolventDiffusion
from ..physics.store import AbstractStore
from ..physics.surface import AbstractSurfaceProcess
from ..properties import (
    MSMR,
    AbstractCurve,
    Arrhenius,
    Corrected,
    Freezing,
    LandesfeindConductivity,
    LandesfeindDiffusivity,
    LandesfeindPolynomial,
    Property,
    Walled,
    constant,
    prepare,
)
from ._balance import compositions
from ._cell import (
    SEI,
    Cell,
    DoubleLayer,
    Electrode,
    Hysteresis,
    Material,
    Particle,
    Plating,
    Stoichiometry,
    ThroughPlane,
)

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
    """A cell whose open-circuit potentials have two branches.

    Args:
        cell: as it is without.
        negative: half-width H of the negative electrode [V], or a property of its
            stoichiometry; none: no hysteresis. Hard carbon 0.010 to 0.020.
        positive: of the positive electrode; layered oxides 0.010, below 35 % SOC 0.030
            to 0.040 (incremental OCV of a Hakadi cell).
        decay: gamma, 10 to 50.
        initial: states of both electrodes at the start, -1 to 1: (-1, 1) after a charge,
            (1, -1) after a discharge.
    """

    def part(width: Number | Property, e: Electrode, start: Number) -> Hysteresis:
        one_c = cell.nominal_capacity / (cell.area * e.interface * e.thickness)
        return Hysteresis(
            half_width=width if isinstance(width, Property) else constant(width),
            decay=jnp.asarray(decay, float),
            # A hundredth of 1C decides on a branch.
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
    """A cell that plates its metal on the negative electrode, and strips it.

    Args:
        cell: as it is without.
        rate_constant: k_pl [m.s-1]; lithium models use 1e-11 to 1e-9.
        energy: its activation energy [J.mol-1], 20e3 to 60e3.
        loss: rate at which metal loses contact [s-1], 1e-7 to 1e-5.
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
    """A cell whose negative electrode grows a film.

    Args:
        cell: as it is without.
        growth: the law; none: solvent diffusion with 2.5e-19 mol.m-1.s-1, which doubles
            10 nm in five months.
        thickness: at the start [m], 2e-9 to 30e-9.
        conductivity: [S.m-1], 1e-6 to 1e-4.
        dissolution: [s-1]; sodium's film dissolves faster than lithium's (Mogensen et
            al., ACS Energy Lett. 2016).
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
def with_double_layer(cell: Cell, capacitance: Number = 0.2) -> Cell:
    """A cell whose particle surfaces hold charge: for milliseconds, and for impedance.

    Args:
        cell: as it is without.
        capacitance: of both electrodes, for each area of particle [F.m-2], 0.1 to 0.3.
    """
    for of in _negative, _positive:
        layer = DoubleLayer(jnp.asarray(capacitance, float))
        cell = _put(lambda c, of=of: of(c).double_layer, cell, layer)
    return cell


@takes
def with_process(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    process: AbstractSurfaceProcess | AbstractStore,
) -> Cell:
    """A cell with a process of your own in one electrode, beside those it has.

    Args:
        cell: as it is without.
        electrode: which.
        process: at the surfaces of all its particles, or a store inside those of its first
            material.

    Raises:
        TypeError: for what is neither.
        ValueError: where the particles have a store already.
    """
    given: Electrode = getattr(cell, electrode)
    if isinstance(process, AbstractSurfaceProcess):
        new = dataclasses.replace(given, surface=(*given.surface, process))
    elif not isinstance(process, AbstractStore):
        raise TypeError(
            f"{process!r:.60} is a {type(process).__name__}: expected a subclass of "
            "`physics.surface.AbstractSurfaceProcess` or `physics.store.AbstractStore`."
        )
    elif given.particle.pores is not None:
        raise ValueError(
            f"The {electrode} particles have a store, {type(given.particle.pores).__name__}; "
            "they can have one."
        )
    else:
        particle = dataclasses.replace(given.particle, pores=process)
        new = dataclasses.replace(given, particle=particle)
    return dataclasses.replace(cell, **{electrode: new})


HARD_CARBONS = {
    "A": (
        (0.9379, 0.7003, 0.0739, 0.0680, 0.0),
        (1.7472, 4.5518, 0.2544, 0.9963, 9.1237),
        (0.0144, 0.1099, 0.3123, 0.3308, 0.5532),
    ),
    "B": (
        (0.8827, 0.5127, 0.0901, 0.0748, 0.0207),
        (3.3327, 6.6426, 3.1102, 0.4515, 0.1403),
        (0.0424, 0.3072, 0.2028, 0.4969, 0.0218),
    ),
    "D1": (
        (0.7342, 0.3914, 0.0702, 0.0656, 0.0),
        (2.9878, 6.4638, 2.3420, 0.3534, 0.6771),
        (0.0401, 0.2062, 0.2151, 0.5034, 0.5277),
    ),
}
"""Potential [V], width and amount of reactions: our fits of slow half cells of commercial
powders, within 1 mV, at 25 degC. They are components of a fit, not known phases: what they
say of other temperatures, by the formula of `MSMR`, is an extrapolation."""


@takes
def with_reactions(cell: Cell, carbon: str = "A") -> Cell:
    """A cell with an `MSMR` of hard carbon as the negative electrode's potential.

    The potential then depends on temperature by itself (-0.2 to +1.2 mV/K), in voltage and
    in reversible heat. The particle's `dudt` stays as it is and comes on top: take it to
    zero where it is a measured coefficient of the whole electrode, and take the carbon's
    off the positive electrode's where that stands for a measured one of the whole cell, as
    in nfm_hc_18650.

    Args:
        cell: whose negative electrode is hard carbon.
        carbon: which powder, of `HARD_CARBONS`.

    Raises:
        ValueError: for an unknown powder.
    """
    if carbon not in HARD_CARBONS:
        known = ", ".join(HARD_CARBONS)
        raise ValueError(f"No hard carbon {carbon!r}. Known: {known}.")
    potential, width, amount = map(jnp.asarray, HARD_CARBONS[carbon])
    host = MSMR(potential, width, amount)
    return _put(lambda c: c.negative.particle.ocp, cell, Property(host))


NARROW = 2.0
"""Reactions narrower than this are the plateau's: filling of pores, in this model."""


@takes
def with_pore_filling(
    cell: Cell,
    rate: Number = 1e-2,
    *,
    energy: Number = 50e3,
    reactions: tuple[int, ...] | None = None,
) -> Cell:
    """A cell whose hard carbon has pores that fill from its other sites.

    Args:
        cell: its negative electrode must have an open-circuit potential of several
            reactions (`MSMR`).
        rate: k_pf [s-1]; unpublished. With 1e-2 pores are filled in minutes, with 1e-4
            in hours.
        energy: its activation energy [J.mol-1].
        reactions: which are the pores'; none: those below 0.15 V that are narrow.

    Raises:
        ValueError: when the potential is not an `MSMR`, or has no reactions to spare.
    """
    host = cell.negative.particle.ocp.curve
    if not isinstance(host, MSMR):
        raise ValueError(
            "Pore filling needs an open-circuit potential of several reactions: put an "
            f"`MSMR` into `negative.particle.ocp.curve`, which is a {type(host).__name__}."
        )
    count = host.amount.shape[0]
    if reactions is None:
        low = np.asarray((host.potential < 0.15) & (host.width < NARROW))
        reactions = tuple(int(i) for i in np.flatnonzero(low))
    if not 0 < len(set(reactions)) < count or not set(reactions) <= set(range(count)):
        raise ValueError(
            f"reactions={reactions}: the potential has {count}, from 0, of which at "
            "least one must be the pores' and one must not."
        )
    law = Arrhenius(jnp.asarray(energy, float), cell.temperature)
    pores = PoreFilling(constant(rate, law), reactions)
    return _put(lambda c: c.negative.particle.pores, cell, pores)


@takes
def with_sizes(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    sizes: Sequence[float],
    shares: Sequence[float],
) -> Cell:
    """A cell with particles of several sizes in one electrode.

    Args:
        cell: as it is with one size.
        electrode: which.
        sizes: radii over the present one.
        shares: of the active material's volume; they must add up to one.

    Raises:
        ValueError: for unequal counts, or shares that do not add up to one.
    """
    if len(sizes) != len(shares) or abs(sum(shares) - 1.0) > 1e-9:
        raise ValueError(
            f"Expected as many sizes as shares, and shares that add up to one; got "
            f"{len(sizes)} sizes and {len(shares)} shares of sum {sum(shares):g}."
        )
    given: Electrode = getattr(cell, electrode)

    def material(size: float, share: float) -> Material:
        radius = given.particle.radius * size
        particle = dataclasses.replace(given.particle, radius=radius)
        return Material(given.active_fraction * share, particle)

    first, *others = (material(*pair) for pair in zip(sizes, shares, strict=True))
    new = dataclasses.replace(
        given,
        active_fraction=first.active_fraction,
        particle=first.particle,
        others=tuple(others),
    )
    return dataclasses.replace(cell, **{electrode: new})


@takes
def with_second_material(
    cell: Cell,
    electrode: Literal["negative", "positive"],
    particle: Particle,
    share: Number,
) -> Cell:
    """A cell in which another material replaces a share of an electrode's.

    In the published state it has the potential that the present material has. Potentials
    given as tables get walls at their ends (`properties.Walled`).

    Args:
        cell: as it is with one material.
        electrode: which.
        particle: the other material, such as the particle of another set.
        share: of the active material's volume that becomes the other's, 0 to 1.
    """
    given: Electrode = getattr(cell, electrode)
    particle = walled(particle)
    new = dataclasses.replace(
        given,
        active_fraction=given.active_fraction * (1.0 - share),
        particle=walled(given.particle),
        others=(*given.others, Material(given.active_fraction * share, particle)),
    )
    ends = jnp.geomspace(1e-5, 0.02, 100)
    fine = jnp.concatenate(
        [ends[:-1], jnp.linspace(0.02, 0.98, 1000), 1 - ends[-2::-1]]
    )
    T = cell.temperature
    table = prepare(particle).ocp(fine, T)
    sites = jnp.stack([m.active_fraction * m.particle.c_max for m in new.materials])

    def blended(state: Stoichiometry) -> Stoichiometry:
        x = jnp.asarray(getattr(state, electrode))
        own = compositions(given, x, T, T)
        U = given.particle.ocp(own[0], T)
        each = jnp.stack([*own, jnp.interp(-U, -table, fine)])
        mean = jnp.sum(sites * each) / jnp.sum(sites)
        return dataclasses.replace(state, **{electrode: mean})

    return dataclasses.replace(
        cell,
        published=blended(cell.published),
        **{electrode: new},
    )


EC_EMC = {
    "conductivity": (0.521, 228.0, -1.06, 0.353, -0.00359, 0.00148),
    "diffusivity": (1010.0, 1.01, -1560.0, -487.0),
    "t_plus": (
        -12.8,
        -6.12,
        0.0821,
        0.904,
        0.0318,
        -1.27e-4,
        0.0175,
        -3.12e-3,
        -3.96e-5,
    ),
    "factor": (25.7, -45.1, -0.177, 1.94, 0.295, 3.08e-4, 0.259, -9.46e-3, -4.54e-4),
}
"""Coefficients of LiPF6 in EC:EMC 3:7, 263 to 323 K: Landesfeind and Gasteiger, J.
Electrochem. Soc. 166 (2019) A3079."""


@takes
def with_landesfeind(cell: Cell) -> Cell:
    """A cell with the electrolyte LiPF6 in EC:EMC 3:7, in concentration and temperature.

    For a sodium cell this is an assumption: the coefficients of NaPF6 are not public.
    """
    p = {name: jnp.asarray(values) for name, values in EC_EMC.items()}

    def measured(curve: AbstractCurve) -> Property:
        return Property(curve, valid=(263.15, 323.15))

    electrolyte = dataclasses.replace(
        cell.electrolyte,
        conductivity=measured(LandesfeindConductivity(p["conductivity"])),
        diffusivity=measured(LandesfeindDiffusivity(p["diffusivity"])),
        t_plus=measured(LandesfeindPolynomial(p["t_plus"])),
        thermodynamic_factor=measured(LandesfeindPolynomial(p["factor"])),
    )
    return dataclasses.replace(cell, electrolyte=electrolyte)


FOILS = 20e-6
"""Foil in one unit of a stack, half of each collector's and of the other's [m] (A)."""


@takes
def with_heat_through_stack(
    cell: Cell,
    thickness: Number,
    *,
    conductivity: Number = 0.8,
    first: Number = 0.5,
    last: Number = 0.5,
) -> Cell:
    """A flat cell whose layers differ in temperature; see the model `ThroughStack`.

    Args:
        cell: as it is with one temperature.
        thickness: of the stack of layers, H [m].
        conductivity: through the layers, lambda_z [W.m-1.K-1], 0.5 to 1.2.
        first: share of the cell's cooling at the first face, 0 to 1.
        last: at the other one; what is left is at the edges.

    Raises:
        ValueError: for a stack thinner than one unit of it, or shares beyond one.
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


@takes
def with_freezing(
    cell: Cell, liquidus: Number, *, span: Number = 20.0, exponent: Number = 2.0
) -> Cell:
    """A cell whose electrolyte becomes a slush below its liquidus.

    Args:
        cell: as it is without.
        liquidus: [K]; EC-rich mixtures begin to freeze from 283 down to 253.
        span: below it, where half is solid [K], 10 to 50.
        exponent: of transport in what is left, 1.5 to 3.
    """

    def frozen(given: Property) -> Property:
        numbers = (jnp.asarray(x, float) for x in (liquidus, span, exponent))
        law = Freezing(given.temperature, *numbers)
        return dataclasses.replace(given, temperature=law)

    e = cell.electrolyte
    electrolyte = dataclasses.replace(
        e, conductivity=frozen(e.conductivity), diffusivity=frozen(e.diffusivity)
    )
    return dataclasses.replace(cell, electrolyte=electrolyte)


def walled(particle: Particle) -> Particle:
    """Particles whose open-circuit potential reaches any voltage at its ends.

    Tables end at finite potentials; see `properties.Walled`.
    """
    ocp, curve = particle.ocp, particle.ocp.curve
    while isinstance(curve, Corrected):
        curve = curve.base
    if isinstance(curve, MSMR | Walled):
        return particle
    curve = Walled(ocp.curve, jnp.asarray(2e-3))
    return dataclasses.replace(particle, ocp=dataclasses.replace(ocp, curve=curve))


def _negative(cell: Cell) -> Electrode:
    return cell.negative


def _positive(cell: Cell) -> Electrode:
    return cell.positive


def _put(where: Callable[[Cell], object], cell: Cell, part: object) -> Cell:
    return eqx.tree_at(where, cell, part, is_leaf=lambda x: x is None)
