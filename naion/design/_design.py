"""A design: a stack in a housing, its data sheet, and the cell it makes."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._constants import F
from ..parameters import (
    AFTER_CHARGE,
    Cell,
    Electrode,
    Limits,
    Material,
    Particle,
    Stoichiometry,
    electrode_capacities,
    equilibrium_potential,
    open_circuit_voltage,
    stoichiometries_at_limits,
    with_ready_curves,
)
from ._housing import AbstractHousing
from ._number import number
from ._stack import Balance, Coat, Masses, Stack, balance

Scalar = Float[Array, ""]
Window = tuple[Array, Array]
Windows = tuple[Window, ...]


class DataSheet(eqx.Module):
    """What a maker prints.

    Attributes:
        capacity: [A.h].
        energy: [W.h].
        specific_energy: [W.h.kg-1].
        energy_density: [W.h.L-1].
        mass: [kg].
        electrolyte: for each capacity [kg.A-1.h-1]; a thousandth of g/Ah.
    """

    capacity: Scalar
    energy: Scalar
    specific_energy: Scalar
    energy_density: Scalar
    mass: Scalar
    electrolyte: Scalar


class Design(eqx.Module):
    """A stack in a housing; differentiable from every loading to Wh/kg.

    Attributes:
        stack: what repeats.
        housing: what is around it, and how much of it fits.
        allowance: mass of these parts over that of the real cell, which has insulation,
            tape, room to swell: 0.88 to 0.93 for large prismatic cells.
        heat_transfer: from the housing's surface [W.m-2.K-1].
        lower_voltage, upper_voltage: limits of the cell; none: the materials' [V].
        mean_voltage: of a discharge; none: it is not known before one is simulated [V].
    """

    stack: Stack
    housing: AbstractHousing
    allowance: Scalar = number(1.0)
    heat_transfer: Scalar = number(10.0)
    lower_voltage: Scalar | None = None
    upper_voltage: Scalar | None = None
    mean_voltage: Scalar | None = None

    @property
    def area(self) -> Array:
        """Of all positive sides [m2]; not a whole number of layers."""
        room = self.housing.filling * self.housing.room
        return 2.0 * room / self.stack.unit_thickness

    @property
    def balance(self) -> Balance:
        """Capacities for each area."""
        return balance(self.stack)

    @property
    def masses(self) -> Masses:
        """Masses of all parts."""
        listed = eqx.tree_at(
            lambda m: m.packaging, self.stack.masses(self.area), self.housing.mass
        )
        return eqx.tree_at(
            lambda m: m.rest, listed, listed.total * (1.0 / self.allowance - 1.0)
        )

    def data_sheet(self, voltage: Array) -> DataSheet:
        """By the energy model alone: capacity times a mean voltage [V]."""
        capacity = self.balance.capacity * self.area
        return self.measured(capacity, capacity * voltage)

    def measured(self, capacity: Array, energy: Array) -> DataSheet:
        """With capacity [A.h] and energy [W.h] from a simulation."""
        m = self.masses
        return DataSheet(
            capacity,
            energy,
            energy / m.total,
            1e-3 * energy / self.housing.volume,
            m.total,
            m.electrolyte / capacity,
        )

    def build(self, materials: Cell) -> Cell:
        """The cell of this design, with the materials of a given cell.

        Geometry, site densities and sodium are the design's. Potentials, particles,
        electrolyte, kinetics and resistances for each area are the materials'; so is
        the exponent with which liquid transport falls with porosity.

        Args:
            materials: a cell of any size.
        """
        # The balance is found with curves that are prepared once.
        ready = with_ready_curves(materials)
        T = materials.temperature
        windows = tuple(
            _window(electrode, coat, T)
            for electrode, coat in (
                (ready.positive, self.stack.positive),
                (ready.negative, self.stack.negative),
            )
        )
        found = self._with_geometry(ready, windows)
        published = self._charged(found, windows)
        found = dataclasses.replace(found, published=published)
        empty, full = stoichiometries_at_limits(found)
        share = materials.nominal_capacity / _between(
            ready, *stoichiometries_at_limits(ready)
        )
        cell = dataclasses.replace(
            self._with_geometry(materials, windows), published=published
        )
        capacity, upper = share * _between(found, empty, full), _upper(found, full)
        return eqx.tree_at(
            lambda c: [c.nominal_capacity, c.limits.upper_voltage],
            cell,
            [capacity, upper],
        )

    def _with_geometry(self, materials: Cell, windows: Windows) -> Cell:
        """The materials in this geometry; how full they are is not yet known.

        Args:
            materials: a cell of any size.
            windows: where the coats' capacities are, of the positive and the negative.
        """
        p, n = self.stack.positive, self.stack.negative
        area, (of_p, of_n) = self.area, windows
        per = area / materials.area
        bare = eqx.tree_at(
            lambda c: [
                c.positive,
                c.negative,
                c.separator.thickness,
                c.separator.porosity,
                c.separator.transport_efficiency,
                c.area,
                c.contact_resistance.scale,
                c.thermal.mass,
                c.thermal.cooling,
            ],
            materials,
            [
                _electrode(p, materials.positive, of_p[1]),
                _electrode(n, materials.negative, of_n[1]),
                self.stack.separator.thickness,
                self.stack.separator.porosity,
                _efficiency(materials.separator, self.stack.separator.porosity),
                area,
                materials.contact_resistance.scale / per,
                self.masses.total,
                self.heat_transfer * self.housing.surface,
            ],
        )
        own = bare.limits
        lower, upper = self.lower_voltage, self.upper_voltage
        limits = Limits(
            own.lower_voltage if lower is None else lower,
            own.upper_voltage if upper is None else upper,
        )
        return dataclasses.replace(bare, limits=limits)

    def _charged(self, cell: Cell, windows: Windows) -> Stoichiometry:
        """Stoichiometries after a first charge that takes all that the positive gives.

        That is beyond the voltage limit, perhaps; what counts is the sodium. What is
        left of it where the positive cannot take it back stays in the negative.
        """
        Q_n, Q_p = electrode_capacities(cell)
        b, area = self.balance, self.area
        (begin_p, _), (begin_n, _) = windows
        moved = (b.supplied - b.lost) * area
        moved = jnp.minimum(moved, 0.999 * (1.0 - begin_n) * Q_n)
        return Stoichiometry(begin_n + moved / Q_n, begin_p)


def _electrode(coat: Coat, of: Electrode, width: Array) -> Electrode:
    """An electrode with the geometry of a coat, whose capacity is so wide in x.

    Several materials, or sizes, keep their shares of the coat.
    """
    sites = coat.capacity * coat.material_density * 3600.0 / F / width
    fractions = jnp.stack([m.active_fraction for m in of.materials])
    shares = fractions / jnp.sum(fractions)
    own = jnp.stack([m.particle.c_max for m in of.materials])
    more = sites / (shares @ own)

    def filled(share: Array, particle: Particle) -> tuple[Array, Particle]:
        richer = dataclasses.replace(particle, c_max=more * particle.c_max)
        return coat.active_fraction * share, richer

    fraction, particle = filled(shares[0], of.particle)
    others = (
        Material(*filled(share, m.particle))
        for share, m in zip(shares[1:], of.others, strict=True)
    )
    return dataclasses.replace(
        of,
        thickness=coat.thickness,
        porosity=coat.porosity,
        active_fraction=fraction,
        transport_efficiency=_efficiency(of, coat.porosity),
        particle=particle,
        others=tuple(others),
    )


def _window(of: Electrode, coat: Coat, T: Array) -> Window:
    """Where on the stoichiometry axis the coat's capacity begins, and how much it takes.

    Between the coat's potentials, or the ends of the axis where they are beyond.
    """

    potentials = jnp.asarray(coat.potentials)

    def halve(_, bracket):
        low, high = bracket
        middle = 0.5 * (low + high)
        above = jax.vmap(lambda x: equilibrium_potential(of, x, T, T))(middle)
        above = above > potentials
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    ends = jnp.full(2, 1e-4), jnp.full(2, 1.0 - 1e-4)
    low, high = jax.lax.fori_loop(0, 40, halve, ends)
    first, last = jax.lax.stop_gradient(0.5 * (low + high))
    return first, last - first


def _efficiency(of, porosity: Array) -> Array:
    """Transport in a liquid by Bruggeman's exponent of the given layer."""
    exponent = jnp.log(of.transport_efficiency) / jnp.log(of.porosity)
    return porosity**exponent


FULLEST, EMPTIEST = 0.985, 0.005
"""Stoichiometries at which a charge ends: a negative that is full would plate, from a
positive that is empty there is nothing to take."""


def _upper(cell: Cell, at_limit: Stoichiometry) -> Array:
    """The upper voltage limit, or the rest at which an electrode ends the charge [V]."""
    Q_n, Q_p = electrode_capacities(cell)
    at_empty = at_limit.negative - (EMPTIEST - at_limit.positive) * Q_p / Q_n
    x_n = jnp.minimum(FULLEST, at_empty)
    x_p = at_limit.positive + (at_limit.negative - x_n) * Q_n / Q_p
    fullest = Stoichiometry(x_n, x_p)
    rest = open_circuit_voltage(cell, fullest, cell.temperature, AFTER_CHARGE)
    limit = cell.limits.upper_voltage
    return jnp.where(x_n < at_limit.negative, rest, limit)


def _between(cell: Cell, empty: Stoichiometry, full: Stoichiometry) -> Array:
    """Capacity between two states [A.h]."""
    Q_n, _ = electrode_capacities(cell)
    return (full.negative - empty.negative) * Q_n
