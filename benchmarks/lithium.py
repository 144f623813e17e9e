"""TU Berlin's LFP / graphite 18650: problems, baselines and what its check-ups allow.

Pulses at 1C and 3C and check-ups of one commercial cell of 1.8 A.h at five chamber
temperatures. It is of the chemistry, the format and the class of the cell whose numbers
`lfp_aboutenergy` holds (2 A.h), and not the same cell: sizes and resistances are free, and
activation energies, which belong to materials, are what is carried over.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

import naion as na
from benchmarks.harness import FAST
from naion._constants import ZERO_CELSIUS
from naion.batch import run
from naion.demo._tables import EMBEDDED, columns
from naion.fit import Experiment, FreeParameter, Problem, Specimen, pulse
from naion.mesh import Mesh
from naion.models import DFN
from naion.parameters import Cell, leaf, load
from naion.properties import Arrhenius
from naion.protocol import Mode, Protocol, Step

TEMPERATURES = (5, 15, 25, 35, 45)
"""Chambers [degC]."""

RATES = (1, 3)
"""Of the pulses that are fitted, both on discharge."""

ONE_C = 1.8
"""Current at 1C [A]: the cell's capacity. The tables name rates alone."""

OTHER_ONE_C = 1.5
"""What 1C could be else [A]: it is so for the sodium cell in the same archive."""

SHARE = 0.9
"""Of the area of the set's cell, by capacity."""

MIDDLE = 0.9
"""Discharged where pulses are simulated [A.h]: measured are medians over 21 states."""

MODEL = DFN(Mesh(4, 2, 4, 16))


class Believed(NamedTuple):
    """An activation energy before the fit [J/mol].

    Attributes:
        published: in About:Energy's files, whose tests are all at 25 degC.
        value, sd: from cells that are not fitted.
        why: sources.
    """

    published: float
    value: float
    sd: float
    why: str


KINETICS_N, KINETICS_P, DIFFUSION_N, DIFFUSION_P, CONTACT, ELECTROLYTE = (
    "negative.particle.rate_constant.temperature.energy",
    "positive.particle.rate_constant.temperature.energy",
    "negative.particle.diffusivity.temperature.energy",
    "positive.particle.diffusivity.temperature.energy",
    "contact_resistance.temperature.energy",
    "electrolyte.conductivity.temperature.energy",
)
SALT = "electrolyte.diffusivity.temperature.energy"

ENERGIES = {
    KINETICS_N: Believed(
        *(55e3, 60e3, 10e3),
        "lithium into graphite: 58 (EC:DMC) and 40 (DMC), Langmuir 2009; 68, Jow, Marx and "
        "Allen, J. Electrochem. Soc. 2012",
    ),
    KINETICS_P: Believed(
        *(35e3, 45e3, 15e3),
        "oxides 50, Jow, Marx and Allen; 35, About:Energy",
    ),
    CONTACT: Believed(0.0, 0.0, 5e3, "metals; the set has none"),
    ELECTROLYTE: Believed(
        *(17.1e3, 17.1e3, 4e3),
        "LiPF6 in carbonates: 17, About:Energy; 13, Valoen and Reimers, J. Electrochem. "
        "Soc. 152 (2005) A882",
    ),
    DIFFUSION_N: Believed(30e3, 30e3, 10e3, "About:Energy; not determined by pulses"),
    DIFFUSION_P: Believed(
        *(80e3, 45e3, 20e3),
        "lithium in LFP: 10 (muons, arXiv:1108.1946), 26 and 58 (first principles, "
        "Electrochem. Solid-State Lett. 7 (2004) A30, Phys. Rev. B 69 (2004) 104303), 80 "
        "(About:Energy)",
    ),
}
"""Frozen: none of it is from the cell that is fitted. None is a prior on what a cell keeps
in the cold."""

RUNGS: dict[str, tuple[str, ...]] = {
    "published energies": (),
    "believed energies": (),
    "of kinetics free": (KINETICS_N, KINETICS_P),
    "and of contacts": (KINETICS_N, KINETICS_P, CONTACT),
    "and of the electrolyte": (KINETICS_N, KINETICS_P, CONTACT, ELECTROLYTE),
}
"""Ladder: which energies are free; resistances always are."""


def start_cell(published: bool = False) -> Cell:
    """The set with the energies of `ENERGIES`, whatever it ships with, and with contacts."""
    cell = load("lfp_aboutenergy")
    cell = eqx.tree_at(
        lambda c: [
            c.area,
            c.contact_resistance.curve.value,
            c.contact_resistance.temperature,
        ],
        cell,
        [
            SHARE * cell.area,
            jnp.asarray(0.02),
            Arrhenius(jnp.asarray(0.0), cell.temperature),
        ],
    )
    energy = {k: b.published if published else b.value for k, b in ENERGIES.items()}
    energy[SALT] = energy[ELECTROLYTE]
    return eqx.tree_at(
        lambda c: [leaf(c, k) for k in energy],
        cell,
        [jnp.asarray(x) for x in energy.values()],
    )


def free(freed: tuple[str, ...]) -> tuple[FreeParameter, ...]:
    """Resistances, and some activation energies."""
    sizes = (
        FreeParameter(
            ("cell.contact_resistance.curve.value",), (1e-3, 0.06), "log", 0.7
        ),
        *(
            FreeParameter((f"cell.{path}.scale",), (0.02, 50.0), "log", sd)
            for path, sd in (
                ("negative.particle.rate_constant", 0.7),
                ("positive.particle.rate_constant", 0.7),
                ("electrolyte.conductivity", 0.3),
            )
        ),
    )
    laws = (
        FreeParameter(
            (f"cell.{k}", *((f"cell.{SALT}",) if k == ELECTROLYTE else ())),
            (-60e3, 20e3) if k == CONTACT else (5e3, 120e3),
            "linear",
            ENERGIES[k].sd,
        )
        for k in freed
    )
    return (*sizes, *laws)


def pulses(
    temperatures: tuple[int, ...] = TEMPERATURES,
    column: str = "r_1s_mohm",
    direction: int = 1,
    rates: tuple[int, ...] = RATES,
    one_c: float = ONE_C,
) -> tuple[Experiment, ...]:
    """Measured resistances of one time after the start of a pulse.

    Args:
        temperatures: chambers [degC].
        column: of the table: which time.
        direction: 1 discharge, -1 charge.
        rates: of the pulses.
        one_c: current at 1C [A].
    """
    table = columns(EMBEDDED, "tuberlin/lfp_pulses.csv")
    after = {"r_100ms_mohm": 0.1, "r_1s_mohm": 1.0, "r_10s_mohm": 10.0}[column]
    rows = zip(
        *(table[k] for k in ("temperature_degC", "direction", "c_rate", column)),
        strict=True,
    )
    return tuple(
        pulse(
            f"{T:g} degC {rate:g}C",
            direction * one_c * float(rate),
            [after],
            [R / 1e3],
            ZERO_CELSIUS + float(T),
            discharged=MIDDLE,
        )
        for T, way, rate, R in rows
        if T in temperatures and way == direction and rate in rates
    )


def problem(
    rung: str, temperatures: tuple[int, ...] = TEMPERATURES, one_c: float = ONE_C
) -> Problem:
    """The fit of a rung to pulses of 1 s.

    10 s are left to predictions: within them resistances rise twice as much at 1C as at
    3C, which nothing in the model does. Nor has it the double layer that 0.1 s would need.
    """
    specimen = Specimen(start_cell(rung == "published energies"), [0.0])
    tests = pulses(temperatures, one_c=one_c)
    return Problem(specimen, free(RUNGS[rung]), tests, MODEL)


def between_neighbours(T: int, known: Mapping[int, float]) -> float:
    """A number of one temperature as exp(a + b / T) through the two nearest others.

    They are on both sides, or it is an extrapolation.
    """
    others = sorted((t for t in known if t != T), key=lambda t: abs(t - T))
    below, above = ([t for t in others if k * (t - T) > 0] for k in (-1, 1))
    a, b = (below[0], above[0]) if below and above else others[:2]
    x, x_a, x_b = (1.0 / (ZERO_CELSIUS + t) for t in (T, a, b))
    share = (x - x_a) / (x_b - x_a)
    return known[a] ** (1.0 - share) * known[b] ** share


class CheckUp(NamedTuple):
    """Discharges at 1C in segments with rests, by temperature: capacity and mean voltage."""

    charge: np.ndarray
    mean: np.ndarray


def measured_check_up() -> CheckUp:
    """Capacity [A.h] and mean voltage under load [V]."""
    t = columns(EMBEDDED, "tuberlin/lfp_totals.csv")
    return CheckUp(t["Q_Ah"], t["E_delivered_Wh"] / t["Q_Ah"])


def segment(one_c: float = ONE_C) -> list[Step]:
    """A hundredth of the capacity at 1C, and a rest of six minutes."""
    lasts = 36.0 * ONE_C / one_c
    return [
        Step(Mode.CURRENT, one_c, duration=lasts, lower_voltage=2.0),
        Step(Mode.CURRENT, 0.0, duration=360.0),
    ]


def check_up(cell: Cell, one_c: float = ONE_C) -> CheckUp:
    """What a full cell gives at every temperature, segment by segment."""
    protocol = Protocol(segment(one_c), cycles=110)

    def given(T):
        s = na.simulate(
            cell, protocol, model=MODEL, temperature=T, throw=False, keep="end"
        )
        return jnp.stack([s.capacity, s.energy / s.capacity])

    kelvin = ZERO_CELSIUS + jnp.asarray(TEMPERATURES, float)
    return CheckUp(*np.asarray(run(given, kelvin)).T)


SCALES = (0.03, 0.1, 0.3, 1.0, 3.0)
BARRIERS = (10e3, 30e3, 50e3, 70e3, 90e3, 110e3)
"""Grid: diffusivities of LFP over the set's, and their activation energies [J/mol]."""

NOT_FILLED = {5: 0.02, 15: 0.01, 25: 1e-3, 35: 1e-3}
"""Share of the charge that was missing beside 45 degC, one standard deviation of a half
normal distribution: charges in the cold were cut after an hour (assumed)."""

CAPACITY_SD = 0.004
"""Of a ratio of two capacities, model and measurement."""


def capacities(cell: Cell) -> np.ndarray:
    """Capacity [A.h] over the grids and temperatures, (5, 6, 5).

    The first nine tenths flow at the mean current of segments and rests: what is slow
    cannot tell.
    """
    mean = ONE_C * 36.0 / 396.0
    first = Step(
        Mode.CURRENT, mean, duration=0.9 * ONE_C / mean * 3600.0, lower_voltage=2.0
    )
    protocol = Protocol([first, *segment() * 14])
    at = (
        lambda c: c.positive.particle.diffusivity.scale,
        lambda c: leaf(c, DIFFUSION_P),
    )

    def given(lane):
        own = eqx.tree_at(lambda c: [a(c) for a in at], cell, [lane[0], lane[1]])
        return na.simulate(
            own, protocol, model=MODEL, temperature=lane[2], throw=False, keep="end"
        ).capacity

    kelvin = [ZERO_CELSIUS + T for T in TEMPERATURES]
    lanes = np.array([(s, e, T) for s in SCALES for e in BARRIERS for T in kelvin])
    shape = len(SCALES), len(BARRIERS), len(TEMPERATURES)
    return np.asarray(run(given, jnp.asarray(lanes))).reshape(shape)


def allowed(table: np.ndarray, draws: int = 1000 if FAST else 40000) -> np.ndarray:
    """Activation energies of LFP's diffusion that the capacities allow [J/mol].

    Draws of what is believed, of diffusivities a factor of e about the set's and of charge
    that was missing, weighted by the measured capacities over that at 45 degC.

    Returns:
        lower end, median and upper end of the range of two standard deviations.
    """
    from scipy.interpolate import RegularGridInterpolator

    key, of = np.random.default_rng(0), ENERGIES[DIFFUSION_P]
    energy = of.value + of.sd * key.standard_normal(draws)
    energy = energy[(energy > BARRIERS[0] / 2.0) & (energy < BARRIERS[-1])]
    scale = key.standard_normal(len(energy))
    x = np.log(SCALES)
    at = np.clip(scale, x[0], x[-1]), np.clip(energy, BARRIERS[0], BARRIERS[-1])
    ratio = RegularGridInterpolator((x, BARRIERS), table / table[..., -1:])(
        np.stack(at, -1)
    )
    Q = measured_check_up().charge
    off = np.zeros(len(energy))
    for k, (T, sd) in enumerate(NOT_FILLED.items()):
        filled = 1.0 - np.abs(sd * key.standard_normal(len(energy)))
        assert TEMPERATURES[k] == T
        off += ((ratio[:, k] * filled - Q[k] / Q[-1]) / CAPACITY_SD) ** 2
    order = np.argsort(energy)
    weight = np.exp(-0.5 * (off - off.min()))[order]
    share = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.interp([0.02275, 0.5, 0.97725], share, energy[order])


def carried(cell: Cell, energies: Mapping[str, float]) -> Cell:
    """A cell with other activation energies [J/mol]."""
    return eqx.tree_at(
        lambda c: [leaf(c, k) for k in energies],
        cell,
        [jnp.asarray(float(x)) for x in energies.values()],
    )


def on(whole: Problem, experiments: tuple[Experiment, ...]) -> Problem:
    """A problem with other tests of the cell."""
    return replace(whole, experiments=experiments)
