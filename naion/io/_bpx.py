"""Cells from the Battery Parameter eXchange format (BPX 1.x).

https://bpxstandard.com; files are checked by the `bpx` package. Tables are monotone
cubics here, open-circuit potentials continued with their end slopes and all others with
their end values.
"""

import dataclasses
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from .._cautions import caution
from .._takes import takes
from ..parameters import (
    Cell,
    Electrode,
    Electrolyte,
    Hysteresis,
    Limits,
    Material,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
    check,
    doubts_of,
    electrode_capacities,
    with_suited_mesh,
)
from ..physics.kinetics import ButlerVolmer
from ..properties import Arrhenius, Property, Table, constant
from . import _bpx_file
from ._branches import USUAL_DECAY, hysteresis, with_thresholds
from ._sums import Sum

T_REF = 298.15
DENSITY, SPECIFIC_HEAT, COOLING = 2000.0, 1000.0, 10.0
"""Of a cell whose file does not say [kg.m-3, J.kg-1.K-1, W.m-2.K-1]."""

SALT = 1000.0
"""Concentration where a file does not say, as other simulators take it [mol.m-3]."""

POINTS = 25
"""Of a window of stoichiometries, at which entries are looked at."""

COLDEST, HOTTEST = 150.0, 500.0
"""Temperatures of a file that can be in kelvin [K]."""


@takes
def read_bpx(path: Path | str) -> Cell:
    """The cell of a BPX file, of version 1 or, converted by `bpx`, of version 0.

    The cell's temperature is the ambient one of the file's `State`, its `published` state
    that of the initial state of charge, from the file's stoichiometry limits, with the
    sodium of the charged state. Branches of lithiation and delithiation become a
    `Hysteresis`: their mean is the potential, half their difference its half-width; see
    `_branches.hysteresis` for the decay constant. A missing salt concentration is taken
    as 1000 mol.m-3, with a caution. A missing density, volume, surface, specific heat or
    heat transfer coefficient is replaced by a usual one; they matter for heat balances
    only. `Validation` data are no part of a cell.

    Raises:
        ValueError: for a file that `bpx` refuses, one that is not of a full model, or one
            with entries that a naion cell cannot express, which are named.
        FileNotFoundError: when there is no such file.
    """
    path = Path(path)
    found, cautions = _bpx_file.load(path)
    p: Any = found.parameterisation
    if type(p).__name__ != "Parameterisation":
        raise ValueError(
            f"{path}: a {found.header.model} set need not have separator and "
            "electrolyte; naion needs a full (DFN) set."
        )
    try:
        reader = _Reader(p, found.state, cautions)
        cell = reader.cell()
        check(cell)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    for text in cautions:
        caution(f"{path}: {text}")
    return cell


def _number(value: float):
    return jnp.asarray(float(value))


class _Reader:
    """A validated file on its way to a cell."""

    def __init__(self, p: Any, state: Any, cautions: list[str]):
        self.p, self.cautions = p, cautions
        self.start = getattr(state, "initial_conditions", None)
        self.heat = getattr(state, "thermal_environment", None)
        wear = getattr(state, "degradation", None)
        if wear is not None and any(_values(v) for _, v in wear):
            raise ValueError("naion cannot express State: Degradation.")
        given = _kelvin("Reference temperature", p.cell.reference_temperature)
        self.T_ref = given or T_REF
        self.T = self._temperature()

    def _temperature(self) -> float:
        initial = getattr(self.start, "initial_temperature", None)
        ambient = getattr(self.heat, "ambient_temperature", None)
        initial = _kelvin("Initial temperature", initial)
        ambient = _kelvin("Ambient temperature", ambient)
        if initial and ambient and initial != ambient:
            self.cautions.append(
                f"the initial temperature of {initial:g} K is not used: a simulation "
                f"starts at the ambient {ambient:g} K."
            )
        return ambient or initial or self.T_ref

    def cell(self) -> Cell:
        p, c = self.p, self.p.cell
        area = c.electrode_area * c.number_of_electrodes
        negative, n_full, n_empty = self.electrode("Negative", p.negative_electrode)
        positive, p_empty, p_full = self.electrode("Positive", p.positive_electrode)
        s, e = p.separator, p.electrolyte
        cell = Cell(
            negative=negative,
            separator=Separator(
                *map(_number, (s.thickness, s.porosity, s.transport_efficiency))
            ),
            positive=positive,
            electrolyte=Electrolyte(
                concentration=_number(self.salt()),
                conductivity=self.property(
                    "Electrolyte: Conductivity",
                    e.conductivity,
                    e.conductivity_activation_energy,
                ),
                diffusivity=self.property(
                    "Electrolyte: Diffusivity",
                    e.diffusivity,
                    e.diffusivity_activation_energy,
                ),
                t_plus=constant(e.cation_transference_number),
                thermodynamic_factor=constant(1.0),
            ),
            area=_number(area),
            contact_resistance=constant(0.0),
            thermal=self.thermal(area),
            limits=Limits(
                _number(c.lower_voltage_cutoff), _number(c.upper_voltage_cutoff)
            ),
            nominal_capacity=_number(c.nominal_cell_capacity),
            temperature=_number(self.T),
            published=Stoichiometry(_number(n_full), _number(p_full)),
            kinetics=ButlerVolmer(),
        )
        full, empty = (
            Stoichiometry(_number(n), _number(p))
            for n, p in ((n_full, p_full), (n_empty, p_empty))
        )
        cell = with_suited_mesh(self.started(with_thresholds(cell), n_empty))
        self.cautions += doubts_of(
            cell, {"the charged state": full, "the discharged state": empty}
        )
        return cell

    def started(self, cell: Cell, x_empty: float) -> Cell:
        """The cell with its initial state of charge, with the sodium of the charged."""
        soc = getattr(self.start, "initial_soc", None)
        if soc is None:
            return cell
        if not 0.0 <= soc <= 1.0:
            raise ValueError(
                f"State: Initial state-of-charge is {soc:g}; expected 0 to 1."
            )
        Q_n, Q_p = electrode_capacities(cell)
        full = cell.published
        given_off = (1.0 - soc) * (full.negative - x_empty)
        start = Stoichiometry(
            full.negative - given_off, full.positive + given_off * Q_n / Q_p
        )
        return dataclasses.replace(cell, published=start)

    def salt(self) -> float:
        given = getattr(self.start, "initial_electrolyte_concentration", None)
        if given is not None:
            return given
        self.cautions.append(
            "State has no initial electrolyte concentration; taken as 1000 mol.m-3."
        )
        return SALT

    def thermal(self, area: float) -> Thermal:
        c, p = self.p.cell, self.p
        thick = sum(
            part.thickness
            for part in (p.negative_electrode, p.separator, p.positive_electrode)
        )
        volume = c.volume or area * thick
        given = getattr(self.heat, "heat_transfer_coefficient", None)
        transfer = COOLING if given is None else given
        surface = c.external_surface_area or 6 * volume ** (2 / 3)
        return Thermal(
            mass=_number((c.density or DENSITY) * volume),
            specific_heat=_number(c.specific_heat_capacity or SPECIFIC_HEAT),
            cooling=_number(transfer * surface),
        )

    def electrode(self, side: str, e: Any) -> tuple[Electrode, float, float]:
        """An electrode, and its mean stoichiometries of most and of least sodium."""
        several = getattr(e, "particle", None) or {"": e}
        materials, most, least, sites = [], [], [], []
        for name, q in several.items():
            where = f"{side} electrode: {name}: " if name else f"{side} electrode: "
            share = q.surface_area_per_unit_volume * q.particle_radius / 3.0
            particle = self.particle(where, q, self.branch(side.lower(), name))
            materials.append(Material(_number(share), particle))
            most.append(q.maximum_stoichiometry)
            least.append(q.minimum_stoichiometry)
            sites.append(share * q.maximum_concentration)
        first, *others = materials
        electrode = Electrode(
            thickness=_number(e.thickness),
            porosity=_number(e.porosity),
            active_fraction=first.active_fraction,
            transport_efficiency=_number(e.transport_efficiency),
            conductivity=_number(e.conductivity),
            particle=first.particle,
            others=tuple(others),
        )
        most, least = (float(np.average(x, weights=sites)) for x in (most, least))
        return electrode, most, least

    def branch(self, side: str, material: str) -> float:
        """The initial state of an electrode's hysteresis, or of one of its materials."""
        given = getattr(self.start, f"initial_hysteresis_state_{side}", None)
        if isinstance(given, dict):
            given = given.get(material)
        return 0.0 if given is None else float(given)

    def particle(self, where: str, q: Any, start: float) -> Particle:
        K = q.reaction_rate_constant / q.maximum_concentration
        window = np.linspace(q.minimum_stoichiometry, q.maximum_stoichiometry, POINTS)
        U, H = self.potential(where, q, start, window)
        dudt = self.sum(f"{where}Entropic change", q.dudt or 0.0, window)
        U = U.plus(dudt, self.T - self.T_ref)
        return Particle(
            radius=_number(q.particle_radius),
            c_max=_number(q.maximum_concentration),
            diffusivity=self.property(
                f"{where}Diffusivity",
                q.diffusivity,
                q.diffusivity_activation_energy,
                window,
            ),
            ocp=Property(U.curve()),
            dudt=Property(dudt.curve()),
            rate_constant=self.property(
                f"{where}Reaction rate constant",
                K,
                q.reaction_rate_constant_activation_energy,
            ),
            film_resistance=constant(0.0),
            hysteresis=H,
        )

    def potential(
        self, where: str, q: Any, start: float, window: np.ndarray
    ) -> tuple[Sum, Hysteresis | None]:
        """Open-circuit potential at the reference temperature, and its hysteresis."""

        def read(name: str, given: Any) -> Sum:
            return self.sum(f"{where}OCP{name}", given, window, goes_on=True)

        usual = read("", q.ocp)
        if q.ocp_lith is None and q.ocp_delith is None:
            if start or q.gamma_hys is not None:
                self.cautions.append(
                    f"{where}a decay constant or an initial state of a hysteresis "
                    "without its branches of lithiation and delithiation has no effect."
                )
            return usual, None
        if q.ocp_lith is None or q.ocp_delith is None:
            there = "lithiation" if q.ocp_delith is None else "delithiation"
            raise ValueError(
                f"{where}OCP ({there}) is there without the other branch; expected both."
            )
        down, up = (
            read(f" ({name})", given)
            for name, given in (
                ("lithiation", q.ocp_lith),
                ("delithiation", q.ocp_delith),
            )
        )
        mean = Sum().plus(up, 0.5).plus(down, 0.5)
        half = Sum().plus(up, 0.5).plus(down, -0.5)
        apart = np.max(np.abs(_at(usual, window) - _at(mean, window)))
        if apart > 5e-3:
            self.cautions.append(
                f"{where}OCP is up to {1e3 * apart:.0f} mV from the mean of its branches "
                "of lithiation and delithiation, which is used in its place."
            )
        rate = q.gamma_hys
        if rate is None:
            rate = 2.0 * USUAL_DECAY
            self.cautions.append(
                f"{where}no OCP hysteresis decay constant; taken as {rate:g}."
            )
        return mean, hysteresis(Property(half.curve()), rate, start)

    def property(
        self,
        where: str,
        given: Any,
        energy: float | None,
        window: np.ndarray | None = None,
    ) -> Property:
        """A number, table or expression with its activation energy."""
        law = Arrhenius(_number(energy), _number(self.T_ref)) if energy else None
        if window is None:
            window = np.array([SALT])
        return Property(self.sum(where, given, window).curve(), law)

    def sum(
        self, where: str, given: Any, window: np.ndarray, goes_on: bool = False
    ) -> Sum:
        """An entry, which has to be finite in a window of compositions."""
        if isinstance(given, str):
            found = Sum(texts=((str(given), 1.0),))
            if not np.all(np.isfinite(_at(found, window))):
                raise ValueError(
                    f"{where} is {str(given)!r}, which is not finite at all of "
                    f"x = {window[0]:g} to {window[-1]:g}."
                )
            return found
        if isinstance(given, int | float):
            return Sum(float(given))
        return Sum(tables=(_table(where, given, "linear" if goes_on else "clamp"),))


def _table(where: str, given: Any, beyond: Any) -> Table:
    """A table; what is wrong with it is said with where it stands."""
    if len(given.x) < 2:
        raise ValueError(
            f"{where}: the table has {len(given.x) or 'no'} point{'s' * (not given.x)}; "
            "expected two or more, or a number."
        )
    try:
        return Table(given.x, given.y, extrapolation=beyond)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from None


def _at(given: Sum, x: np.ndarray) -> np.ndarray:
    return np.asarray(given.curve()(jnp.asarray(x, float)))


def _kelvin(name: str, value: float | None) -> float | None:
    if value is not None and not COLDEST <= value <= HOTTEST:
        raise ValueError(
            f"{name} [K] is {value:g}; expected kelvin between {COLDEST:g} and "
            f"{HOTTEST:g} (25 degC is 298.15)."
        )
    return value


def _values(given: Any) -> bool:
    """Whether an amount, or one of several by material, is not zero."""
    several = given.values() if isinstance(given, dict) else [given]
    return any(bool(v) for v in several)
