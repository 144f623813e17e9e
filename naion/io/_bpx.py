"""Cells from and to the Battery Parameter eXchange format (BPX 1.x).

https://bpxstandard.com; files are read and checked by the `bpx` package. Tables are
monotone cubics here, open-circuit potentials continued with their end slopes and all
others with their end values.
"""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..parameters import (
    Cell,
    Electrode,
    Electrolyte,
    Limits,
    Material,
    Particle,
    Separator,
    Stoichiometry,
    Thermal,
    compositions,
    stoichiometry_at_soc,
)
from ..physics.kinetics import ButlerVolmer
from ..properties import (
    Arrhenius,
    Constant,
    Expression,
    Invariant,
    PowerExponential,
    PowerSeries,
    Property,
    Table,
    TanhSum,
    constant,
)

T_REF = 298.15
DENSITY, SPECIFIC_HEAT, COOLING = 2000.0, 1000.0, 10.0
"""Of a cell whose file does not say [kg.m-3, J.kg-1.K-1, W.m-2.K-1]."""


def read_bpx(path: Path | str) -> Cell:
    """The cell of a BPX file, of version 1 or, converted by `bpx`, of version 0.

    A missing density, volume, surface, specific heat or heat transfer coefficient is
    replaced by a usual one; they matter for heat balances only.

    Raises:
        ValueError: for a file that `bpx` refuses, one that is not of a full model, or one
            with entries that a naion cell cannot express, which are listed.
        FileNotFoundError: when there is no such file.
    """
    import bpx

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No BPX file {str(path)!r}.")
    try:
        found = bpx.parse_bpx_file(str(path))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a BPX file: {error}") from None
    p: Any = found.parameterisation
    if type(p).__name__ != "Parameterisation":
        raise ValueError(
            f"{path}: a {found.header.model} set has no separator and electrolyte; "
            "naion needs a full (DFN) set."
        )
    lost = [
        f"{side} electrode: {name}"
        for side, e in (
            ("Negative", p.negative_electrode),
            ("Positive", p.positive_electrode),
        )
        for q in _particles(e)
        for name, value in (
            ("OCP (delithiation) [V]", q.ocp_delith),
            ("OCP (lithiation) [V]", q.ocp_lith),
        )
        if value is not None
    ]
    state = found.state
    start = state.initial_conditions if state else None
    salt = start.initial_electrolyte_concentration if start else None
    if salt is None:
        lost.append("State: no initial electrolyte concentration")
    if state and state.degradation is not None:
        lost.append("State: Degradation")
    if lost:
        raise ValueError(f"{path}: naion cannot express {'; '.join(lost)}.")
    a = jnp.asarray
    c, e, T = p.cell, p.electrolyte, p.cell.reference_temperature or T_REF
    area = c.electrode_area * c.number_of_electrodes
    negative, x_n = _electrode(p.negative_electrode, T, charged_is_full=True)
    positive, x_p = _electrode(p.positive_electrode, T, charged_is_full=False)
    thick = float(negative.thickness + positive.thickness) + p.separator.thickness
    volume = c.volume or area * thick
    heat = state.thermal_environment if state else None
    transfer = (heat.heat_transfer_coefficient if heat else None) or COOLING
    return Cell(
        negative=negative,
        separator=Separator(
            *map(
                _number,
                (
                    p.separator.thickness,
                    p.separator.porosity,
                    p.separator.transport_efficiency,
                ),
            )
        ),
        positive=positive,
        electrolyte=Electrolyte(
            concentration=_number(salt or 0.0),
            conductivity=_property(e.conductivity, e.conductivity_activation_energy, T),
            diffusivity=_property(e.diffusivity, e.diffusivity_activation_energy, T),
            t_plus=constant(e.cation_transference_number),
            thermodynamic_factor=constant(1.0),
        ),
        area=_number(area),
        contact_resistance=constant(0.0),
        thermal=Thermal(
            mass=_number((c.density or DENSITY) * volume),
            specific_heat=_number(c.specific_heat_capacity or SPECIFIC_HEAT),
            cooling=_number(
                transfer * (c.external_surface_area or 6 * volume ** (2 / 3))
            ),
        ),
        limits=Limits(_number(c.lower_voltage_cutoff), _number(c.upper_voltage_cutoff)),
        nominal_capacity=_number(c.nominal_cell_capacity),
        temperature=_number(T),
        published=Stoichiometry(a(x_n), a(x_p)),
        charged=None,
        kinetics=ButlerVolmer(),
    )


def _number(value: float):
    return jnp.asarray(float(value))


def _particles(e: Any) -> list[Any]:
    """Active materials of an electrode in a file."""
    return list(e.particle.values()) if hasattr(e, "particle") else [e]


def _electrode(e: Any, T: float, charged_is_full: bool) -> tuple[Electrode, float]:
    """An electrode, and its mean stoichiometry in the charged cell."""
    materials, charged, sites = [], [], []
    for q in _particles(e):
        share = q.surface_area_per_unit_volume * q.particle_radius / 3.0
        K = q.reaction_rate_constant / q.maximum_concentration
        particle = Particle(
            radius=_number(q.particle_radius),
            c_max=_number(q.maximum_concentration),
            diffusivity=_property(q.diffusivity, q.diffusivity_activation_energy, T),
            ocp=_property(q.ocp, None, T, goes_on=True),
            dudt=_property(0.0 if q.dudt is None else q.dudt, None, T),
            rate_constant=_property(K, q.reaction_rate_constant_activation_energy, T),
            film_resistance=constant(0.0),
        )
        materials.append(Material(_number(share), particle))
        ends = q.minimum_stoichiometry, q.maximum_stoichiometry
        charged.append(ends[charged_is_full])
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
    return electrode, float(np.average(charged, weights=sites))


def _property(given: Any, energy: float | None, T: float, goes_on: bool = False):
    """A BPX number, table or expression as a property."""
    law = Arrhenius(_number(energy), _number(T)) if energy else None
    if isinstance(given, str):
        return Property(Expression(str(given)), law)
    if isinstance(given, int | float):
        return constant(float(given), law)
    beyond = "linear" if goes_on else "clamp"
    x, y = (jnp.asarray(v, float) for v in (given.x, given.y))
    return Property(Table(x, y, extrapolation=beyond), law)


def write_bpx(path: Path | str, cell: Cell, title: str = "") -> None:
    """Write a cell as BPX 1.x, checked by the `bpx` package.

    Raises:
        ValueError: when BPX cannot express the cell, listing all that would be lost.
    """
    import bpx

    lost: list[str] = []
    data = _as_bpx(cell, title, lost)
    if lost:
        raise ValueError(
            "BPX cannot express this cell. Lost would be: " + "; ".join(lost) + "."
        )
    bpx.parse_bpx_obj(json.loads(json.dumps(data)))
    path = Path(path)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _as_bpx(cell: Cell, title: str, lost: list[str]) -> dict:
    """The file's data; what cannot be said is added to `lost`."""
    T = cell.temperature
    for name, value, usual in (
        ("contact_resistance", cell.contact_resistance, 0.0),
        (
            "electrolyte.thermodynamic_factor",
            cell.electrolyte.thermodynamic_factor,
            1.0,
        ),
    ):
        if not _is(value, usual):
            lost.append(f"{name} (not {usual:g})")
    if type(cell.kinetics) is not ButlerVolmer:
        lost.append(f"kinetics ({type(cell.kinetics).__name__})")
    t_plus = cell.electrolyte.t_plus
    if not isinstance(t_plus.curve, Constant) or not _invariant(t_plus):
        lost.append("electrolyte.t_plus (a function)")
    full, empty = (stoichiometry_at_soc(cell, s) for s in (1.0, 0.0))
    if cell.charged is not None and not np.allclose(
        float(cell.charged.negative), float(full.negative), atol=1e-9
    ):
        lost.append("charged (a start that is not at the upper voltage)")
    e = cell.electrolyte
    volume = float(cell.thermal.mass) / DENSITY
    return {
        "Header": {"BPX": "1.1.0", "Title": title, "Model": "DFN"},
        "Parameterisation": {
            "Cell": {
                "Electrode area [m2]": float(cell.area),
                "External surface area [m2]": float(cell.thermal.cooling) / COOLING,
                "Volume [m3]": volume,
                "Density [kg.m-3]": DENSITY,
                "Specific heat capacity [J.K-1.kg-1]": float(
                    cell.thermal.specific_heat
                ),
                "Number of electrode pairs connected in parallel to make a cell": 1,
                "Lower voltage cut-off [V]": float(cell.limits.lower_voltage),
                "Upper voltage cut-off [V]": float(cell.limits.upper_voltage),
                "Nominal cell capacity [A.h]": float(cell.nominal_capacity),
                "Reference temperature [K]": float(T),
            },
            "Electrolyte": {
                "Cation transference number": float(t_plus(e.concentration, T)),
                **_entry("Diffusivity", "m2.s-1", e.diffusivity, cell, lost),
                **_entry("Conductivity", "S.m-1", e.conductivity, cell, lost),
            },
            "Negative electrode": _electrode_data("negative", cell, empty, full, lost),
            "Positive electrode": _electrode_data("positive", cell, full, empty, lost),
            "Separator": _contact(cell.separator),
        },
        "State": {
            "Initial conditions": {
                "Initial state-of-charge": 1.0,
                "Initial temperature [K]": float(T),
                "Initial electrolyte concentration [mol.m-3]": float(e.concentration),
            },
            "Thermal environment": {
                "Ambient temperature [K]": float(T),
                "Heat transfer coefficient [W.m-2.K-1]": COOLING,
            },
        },
    }


def _contact(part: Electrode | Separator) -> dict:
    return {
        "Thickness [m]": float(part.thickness),
        "Porosity": float(part.porosity),
        "Transport efficiency": float(part.transport_efficiency),
    }


def _electrode_data(
    side: str, cell: Cell, low: Stoichiometry, high: Stoichiometry, lost: list[str]
) -> dict:
    """An electrode between two states of the cell, of least and of most sodium."""
    electrode: Electrode = getattr(cell, side)
    T = cell.temperature
    for part in ("plating", "sei", "double_layer"):
        if getattr(electrode, part) is not None:
            lost.append(f"{side}.{part}")
    ends = [
        [float(x) for x in compositions(electrode, getattr(state, side), T, T)]
        for state in (low, high)
    ]
    particles = []
    for k, m in enumerate(electrode.materials):
        p, where = (
            m.particle,
            f"{side}.particle" if k == 0 else f"{side}.others.{k - 1}",
        )
        for part in ("hysteresis", "pores"):
            if getattr(p, part) is not None:
                lost.append(f"{where}.{part}")
        if p.driven_by != "composition":
            lost.append(f"{where}.driven_by ({p.driven_by})")
        if not _is(p.film_resistance, 0.0):
            lost.append(f"{where}.film_resistance (not 0)")
        if not isinstance(p.rate_constant.curve, Constant):
            lost.append(f"{where}.rate_constant (depends on composition)")
        if not (_is_of_one_temperature(p.ocp, T) and _invariant(p.dudt)):
            lost.append(f"{where}.ocp or dudt (a law in temperature)")
        K = Property(
            Constant(p.rate_constant(jnp.asarray(0.5), T) * p.c_max),
            p.rate_constant.temperature,
        )
        particles.append(
            {
                "Minimum stoichiometry": ends[0][k],
                "Maximum stoichiometry": ends[1][k],
                "Maximum concentration [mol.m-3]": float(p.c_max),
                "Particle radius [m]": float(p.radius),
                "Surface area per unit volume [m-1]": float(m.interface),
                **_entry("Diffusivity", "m2.s-1", p.diffusivity, cell, lost, where),
                **_entry("OCP", "V", p.ocp, cell, lost, where, goes_on=True),
                **_entry(
                    "Entropic change coefficient", "V.K-1", p.dudt, cell, lost, where
                ),
                **_entry("Reaction rate constant", "mol.m-2.s-1", K, cell, lost, where),
            }
        )
    common = {
        **_contact(electrode),
        "Conductivity [S.m-1]": float(electrode.conductivity),
    }
    if len(particles) == 1:
        return common | particles[0]
    named = {f"Material {k + 1}": p for k, p in enumerate(particles)}
    return common | {"Particle": named}


def _entry(
    name: str,
    unit: str,
    given: Property,
    cell: Cell,
    lost: list[str],
    where: str = "electrolyte",
    goes_on: bool = False,
) -> dict:
    """A property's entry, and that of its activation energy."""
    entry: dict[str, Any] = {}
    law = given.temperature
    if isinstance(law, Arrhenius) and float(law.reference) == float(cell.temperature):
        entry[f"{name} activation energy [J.mol-1]"] = float(law.energy)
    elif not isinstance(law, Invariant):
        lost.append(
            f"{where}: {name.lower()}'s law in temperature ({type(law).__name__})"
        )
    entry[f"{name} [{unit}]"] = _curve(given, f"{where}: {name.lower()}", goes_on, lost)
    return entry


def _curve(given: Property, where: str, goes_on: bool, lost: list[str]) -> Any:
    """A number, table or expression."""
    curve, scale = given.curve, float(given.scale)
    beyond = "linear" if goes_on else "clamp"
    match curve:
        case Constant():
            return scale * float(curve.value)
        case Table(interpolation="pchip") if curve.extrapolation == beyond:
            y = scale * np.asarray(curve.y)
            return {"x": np.asarray(curve.x).tolist(), "y": y.tolist()}
        case Expression():
            return f"{scale!r} * ({curve.text})"
        case PowerSeries():
            terms = [
                f"{scale * float(c)!r} * (x / 1000.0) ** {float(e)!r}"
                for c, e in zip(curve.coefficient, curve.exponent, strict=True)
            ]
            return " + ".join(terms)
        case PowerExponential():
            size, rate = scale * float(curve.size), float(curve.rate)
            power = f" * (x / 1000.0) ** {float(curve.power)!r}" if curve.power else ""
            return f"{size!r}{power} * exp(-{rate!r} * (x / 1000.0 - 1.0))"
        case TanhSum():
            steps = "".join(
                f" + {scale * float(s)!r} * tanh({float(r)!r} * (x - {float(c)!r}))"
                for s, r, c in zip(curve.size, curve.rate, curve.centre, strict=True)
            )
            rise = f"{scale * float(curve.exp_size)!r} * exp(-{float(curve.exp_rate)!r} * x)"
            base = (
                f"{scale * float(curve.offset)!r} + {scale * float(curve.slope)!r} * x"
            )
            return f"{base} + {rise}{steps}"
    kind = f"{type(curve).__name__}"
    if isinstance(curve, Table):
        kind = f"a {curve.interpolation} table, {curve.extrapolation} beyond its ends"
    lost.append(f"{where} ({kind})")
    return 0.0


def _invariant(given: Property) -> bool:
    return isinstance(given.temperature, Invariant)


def _is_of_one_temperature(given: Property, T: Array) -> bool:
    """Whether a property is the same at every temperature, by law and by curve."""
    x = jnp.linspace(0.02, 0.98, 20)
    slope = jax.jvp(lambda T: given(x, T), (T,), (jnp.ones_like(T),))[1]
    return not np.any(np.abs(slope) > 1e-12)


def _is(given: Property, value: float) -> bool:
    """Whether a property is a number, at every temperature."""
    curve = given.curve
    if not isinstance(curve, Constant):
        return False
    return float(given.scale * curve.value) == value and (
        value == 0.0 or _invariant(given)
    )
