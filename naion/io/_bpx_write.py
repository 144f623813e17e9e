"""Cells to the Battery Parameter eXchange format (BPX 1.x)."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..parameters import (
    Cell,
    Electrode,
    Particle,
    Separator,
    Stoichiometry,
    check,
    compositions,
    is_half_cell,
    stoichiometry_at_soc,
)
from ..physics.kinetics import ButlerVolmer
from ..properties import (
    AbstractCurve,
    Arrhenius,
    Constant,
    Corrected,
    Expression,
    Invariant,
    PowerExponential,
    PowerSeries,
    Property,
    Table,
    TanhSum,
)
from ._bpx import COOLING, DENSITY
from ._branches import threshold
from ._sums import Sum


@takes
def write_bpx(path: Path | str, cell: Cell, title: str = "") -> None:
    """Write a cell as BPX 1.x, checked by the `bpx` package.

    A `Hysteresis` is written as branches of lithiation and delithiation. Its threshold is
    no part of BPX; `read_bpx` takes a hundredth of 1C, and any other is named as lost.

    Raises:
        TypeError: for anything but a cell.
        ValueError: for numbers that are not possible, or when BPX cannot express the cell,
            listing all that would be lost.
    """
    import bpx

    check(cell)
    lost: list[str] = []
    data = _Writer(cell, lost).data(title)
    if lost:
        raise ValueError(
            "BPX cannot express this cell. Lost would be: " + "; ".join(lost) + "."
        )
    bpx.parse_bpx_obj(json.loads(json.dumps(data)))
    path = Path(path)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


class _Writer:
    """A cell on its way to a file; what cannot be said is added to `lost`.

    Activation energies of one common reference keep it as the file's reference
    temperature, for which potentials are then given; else it is the cell's temperature.
    """

    def __init__(self, cell: Cell, lost: list[str]):
        self.cell, self.lost = cell, lost
        self.T = float(cell.temperature)
        known = {float(law.reference) for law in _arrhenius(cell)}
        self.T_ref = known.pop() if len(known) == 1 else self.T

    def data(self, title: str) -> dict:
        cell, lost, T = self.cell, self.lost, self.cell.temperature
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
        if is_half_cell(cell):
            lost.append("the metal of a half cell")
        if type(cell.kinetics) is not ButlerVolmer:
            lost.append(f"kinetics ({type(cell.kinetics).__name__})")
        t_plus = cell.electrolyte.t_plus
        if not isinstance(t_plus.curve, Constant) or not _invariant(t_plus):
            lost.append("electrolyte.t_plus (a function)")
        full, empty = (stoichiometry_at_soc(cell, s) for s in (1.0, 0.0))
        e, where = cell.electrolyte, "electrolyte"
        return {
            "Header": {"BPX": "1.1.0", "Title": title, "Model": "DFN"},
            "Parameterisation": {
                "Cell": self.whole(),
                "Electrolyte": {
                    "Cation transference number": float(t_plus(e.concentration, T)),
                    **self.entry("Diffusivity", "m2.s-1", e.diffusivity, where),
                    **self.entry("Conductivity", "S.m-1", e.conductivity, where),
                },
                "Negative electrode": self.electrode("negative", empty, full),
                "Positive electrode": self.electrode("positive", full, empty),
                "Separator": _contact(cell.separator),
            },
            "State": {
                "Initial conditions": {
                    "Initial state-of-charge": self.soc(full, empty),
                    "Initial temperature [K]": self.T,
                    "Initial electrolyte concentration [mol.m-3]": float(
                        e.concentration
                    ),
                    **self.branches("Negative", cell.negative),
                    **self.branches("Positive", cell.positive),
                },
                "Thermal environment": {
                    "Ambient temperature [K]": self.T,
                    "Heat transfer coefficient [W.m-2.K-1]": COOLING,
                },
            },
        }

    def soc(self, full: Stoichiometry, empty: Stoichiometry) -> float:
        """State of charge of the published start."""
        x = (s.negative for s in (self.cell.published, empty, full))
        here, least, most = map(float, x)
        # BPX knows nothing beyond the voltage limits.
        return min(max((here - least) / (most - least), 0.0), 1.0)

    def whole(self) -> dict:
        cell = self.cell
        return {
            "Electrode area [m2]": float(cell.area),
            "External surface area [m2]": float(cell.thermal.cooling) / COOLING,
            "Volume [m3]": float(cell.thermal.mass) / DENSITY,
            "Density [kg.m-3]": DENSITY,
            "Specific heat capacity [J.K-1.kg-1]": float(cell.thermal.specific_heat),
            "Number of electrode pairs connected in parallel to make a cell": 1,
            "Lower voltage cut-off [V]": float(cell.limits.lower_voltage),
            "Upper voltage cut-off [V]": float(cell.limits.upper_voltage),
            "Nominal cell capacity [A.h]": float(cell.nominal_capacity),
            "Reference temperature [K]": self.T_ref,
        }

    def branches(self, side: str, e: Electrode) -> dict:
        """Initial states of an electrode's hysteresis, of each material of a blend."""
        parts = [m.particle.hysteresis for m in e.materials]
        if not any(parts):
            return {}
        starts = [0.0 if h is None else float(h.initial) for h in parts]
        blend = {_material(k): h for k, h in enumerate(starts)}
        given = blend if len(starts) > 1 else starts[0]
        return {f"Initial hysteresis state: {side} electrode": given}

    def electrode(self, side: str, low: Stoichiometry, high: Stoichiometry) -> dict:
        """An electrode between two states of the cell, of least and of most sodium."""
        e: Electrode = getattr(self.cell, side)
        T = self.cell.temperature
        for part in ("plating", "sei", "double_layer", "surface"):
            if getattr(e, part):
                self.lost.append(f"{side}.{part}")
        ends = [
            [float(x) for x in compositions(e, getattr(state, side), T, T)]
            for state in (low, high)
        ]
        particles = []
        for k, m in enumerate(e.materials):
            where = f"{side}.particle" if k == 0 else f"{side}.others.{k - 1}"
            particles.append(
                {
                    "Minimum stoichiometry": ends[0][k],
                    "Maximum stoichiometry": ends[1][k],
                    "Surface area per unit volume [m-1]": float(m.interface),
                    **self.particle(m.particle, where, e),
                }
            )
        common = {**_contact(e), "Conductivity [S.m-1]": float(e.conductivity)}
        if len(particles) == 1:
            return common | particles[0]
        return common | {"Particle": {_material(k): p for k, p in enumerate(particles)}}

    def particle(self, p: Particle, where: str, e: Electrode) -> dict:
        if p.pores is not None:
            self.lost.append(f"{where}.pores")
        if p.driven_by != "composition":
            self.lost.append(f"{where}.driven_by ({p.driven_by})")
        if not _is(p.film_resistance, 0.0):
            self.lost.append(f"{where}.film_resistance (not 0)")
        k_0 = p.rate_constant
        if isinstance(k_0.curve, Constant):
            value = k_0.curve.value * p.c_max
        else:
            self.lost.append(f"{where}.rate_constant (depends on composition)")
            value = jnp.zeros(())
        K = Property(Constant(value), k_0.temperature, k_0.scale)
        return {
            "Maximum concentration [mol.m-3]": float(p.c_max),
            "Particle radius [m]": float(p.radius),
            **self.entry("Diffusivity", "m2.s-1", p.diffusivity, where),
            **self.potentials(p, where, e),
            **self.entry("Entropic change coefficient", "V.K-1", p.dudt, where),
            **self.entry("Reaction rate constant", "mol.m-2.s-1", K, where),
        }

    def potentials(self, p: Particle, where: str, e: Electrode) -> dict:
        """Open-circuit potential at the reference temperature, and its branches."""
        if not (
            _is_of_one_temperature(p.ocp, self.cell.temperature) and _invariant(p.dudt)
        ):
            self.lost.append(f"{where}.ocp or dudt (a law in temperature)")
        name = f"{where}: ocp"
        U = self.sum(p.ocp, name)
        if self.T_ref != self.T:
            own = self.sum(p.dudt, f"{where}: entropic change coefficient")
            U = U.plus(own, self.T_ref - self.T)
        h = p.hysteresis
        if h is None:
            return {"OCP [V]": self.said(U, name, "linear")}
        if not _invariant(h.half_width):
            self.lost.append(f"{where}.hysteresis.half_width (a law in temperature)")
        if not np.isclose(float(h.threshold), float(threshold(self.cell, e))):
            self.lost.append(f"{where}.hysteresis.threshold (not a hundredth of 1C)")
        H = self.sum(h.half_width, f"{where}: half-width")
        up, down = (f"{name} of {k}lithiation" for k in ("de", ""))
        return {
            # The mean of the branches, which `read_bpx` takes from them.
            "OCP [V]": U.sampled(),
            "OCP (delithiation) [V]": self.said(U.plus(H), up, "linear"),
            "OCP (lithiation) [V]": self.said(U.plus(H, -1.0), down, "linear"),
            "OCP hysteresis decay constant": 2.0 * float(h.decay),
        }

    def entry(self, name: str, unit: str, given: Property, where: str) -> dict:
        """A property's entry, and that of its activation energy."""
        entry: dict[str, Any] = {}
        law, factor = given.temperature, 1.0
        if isinstance(law, Arrhenius):
            entry[f"{name} activation energy [J.mol-1]"] = float(law.energy)
            factor = float(law(jnp.asarray(self.T_ref)))
        elif not isinstance(law, Invariant):
            kind = type(law).__name__
            self.lost.append(f"{where}: {name.lower()}'s law in temperature ({kind})")
        what = f"{where}: {name.lower()}"
        found = Sum().plus(self.sum(given, what), factor)
        return entry | {f"{name} [{unit}]": self.said(found, what)}

    def sum(self, given: Property, where: str) -> Sum:
        """A property's curve and scale."""
        return Sum().plus(self.terms(given.curve, where), float(given.scale))

    def terms(self, curve: AbstractCurve, where: str) -> Sum:
        if isinstance(curve, Constant):
            return Sum(float(curve.value))
        if isinstance(curve, Corrected):
            base = self.terms(curve.base, where)
            return base.plus(self.terms(curve.correction, where))
        if isinstance(curve, Table) and curve.interpolation == "pchip":
            return Sum(tables=(curve,))
        text = _text(curve)
        if text is None:
            self.lost.append(f"{where} ({_kind(curve)})")
            return Sum()
        return Sum(texts=((text, 1.0),))

    def said(self, found: Sum, where: str, beyond: str = "clamp") -> Any:
        """An entry of the file; tables go on beyond their ends as `read_bpx` has it."""
        entry = found.entry()
        if entry is None:
            self.lost.append(f"{where} (a table and something else, added)")
            return 0.0
        if any(table.extrapolation != beyond for table in found.tables):
            self.lost.append(f"{where} ({_kind(found.tables[0])})")
        return entry


def _arrhenius(cell: Cell) -> list[Arrhenius]:
    """Laws in temperature that have an activation energy in BPX."""
    e = cell.electrolyte
    found = [e.conductivity, e.diffusivity]
    for electrode in (cell.negative, cell.positive):
        for m in electrode.materials:
            found += [m.particle.diffusivity, m.particle.rate_constant]
    laws = (p.temperature for p in found)
    return [law for law in laws if isinstance(law, Arrhenius)]


def _material(k: int) -> str:
    return f"Material {k + 1}"


def _contact(part: Electrode | Separator) -> dict:
    return {
        "Thickness [m]": float(part.thickness),
        "Porosity": float(part.porosity),
        "Transport efficiency": float(part.transport_efficiency),
    }


def _kind(curve: AbstractCurve) -> str:
    if isinstance(curve, Table):
        return f"a {curve.interpolation} table, {curve.extrapolation} beyond its ends"
    return type(curve).__name__


def _text(curve: AbstractCurve) -> str | None:
    """A curve in the syntax of BPX."""
    match curve:
        case Expression():
            return curve.text
        case PowerSeries():
            terms = [
                f"{float(c)!r} * (x / 1000.0) ** {float(e)!r}"
                for c, e in zip(curve.coefficient, curve.exponent, strict=True)
            ]
            return " + ".join(terms)
        case PowerExponential():
            size, rate = float(curve.size), float(curve.rate)
            power = f" * (x / 1000.0) ** {float(curve.power)!r}" if curve.power else ""
            return f"{size!r}{power} * exp(-{rate!r} * (x / 1000.0 - 1.0))"
        case TanhSum():
            steps = "".join(
                f" + {float(s)!r} * tanh({float(r)!r} * (x - {float(c)!r}))"
                for s, r, c in zip(curve.size, curve.rate, curve.centre, strict=True)
            )
            rise = f"{float(curve.exp_size)!r} * exp(-{float(curve.exp_rate)!r} * x)"
            base = f"{float(curve.offset)!r} + {float(curve.slope)!r} * x"
            return f"{base} + {rise}{steps}"
    return None


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
