"""PyBaMM parameter values as cells. PyBaMM itself evaluates what is expected."""

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
import pybamm
import pytest

import naion as na
from naion.io import from_pybamm
from naion.parameters import compositions, is_half_cell, open_circuit_voltage
from naion.properties import Arrhenius

T_ROOM = jnp.asarray(298.15)
FULL_CELLS = (
    "Ai2020",
    "Bonkile2024",
    "Chayambuka2022",
    "Chen2020",
    "Chen2020_composite",
    "Ecker2015",
    "Marquis2019",
    "Mohtat2020",
    "NCA_Kim2011",
    "OKane2022",
    "ORegan2022",
    "Prada2013",
    "Ramadass2004",
)
HALF_CELLS = (
    "Ecker2015_graphite_halfcell",
    "OKane2022_graphite_SiOx_halfcell",
    "Xu2019",
)
OTHERS = {
    "ECM_Example": "an equivalent circuit",
    "MSMR_Example": "an MSMR model",
    "Sulzer2019": "a lead-acid cell",
}


def quietly(values: pybamm.ParameterValues, **options):
    """The cell, and the cautions that came with it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", na.Caution)
        cell = from_pybamm(values, **options)
    return cell, [str(w.message) for w in said if w.category is na.Caution]


def test_chen_is_our_chen(model):
    """The same published set, by two ways: tables against expressions, 0.2 mV."""
    ours = na.parameters.load("nmc811_chen2020")
    theirs = from_pybamm(pybamm.ParameterValues("Chen2020"))
    one, two = (
        na.simulate(c, "Discharge at 1C until 2.5 V", model=model, start="published")
        for c in (ours, theirs)
    )
    q = jnp.linspace(0.0, 0.98, 50) * one.capacity
    np.testing.assert_allclose(
        two.voltage_at_charge(q), one.voltage_at_charge(q), atol=2e-4
    )


@pytest.mark.parametrize("name", ["Marquis2019", "Chayambuka2022"])
def test_other_sets_simulate(name, model):
    cell = from_pybamm(pybamm.ParameterValues(name))
    s = na.simulate(cell, "Discharge at C/3", model=model, start="published")
    assert s.result.is_success
    assert 0.6 < float(s.capacity / cell.nominal_capacity) < 1.5


def test_every_set_is_known():
    assert set(pybamm.parameter_sets) == {*FULL_CELLS, *HALF_CELLS, *OTHERS}


@pytest.mark.parametrize("name", HALF_CELLS)
def test_every_half_cell(name):
    """Against lithium, whose exchange current is that of Xu et al."""
    half, _ = quietly(pybamm.ParameterValues(name))
    assert is_half_cell(half)
    salt = jnp.array([100.0, 1000.0, 2500.0])
    theirs = half.negative.kinetics.exchange_current(salt, half.temperature)
    ours = na.lithium_metal().exchange_current(salt, half.temperature)
    # 1 / 1.3e-5 m3.mol-1 of lithium against 76,900 mol.m-3, and a table.
    np.testing.assert_allclose(theirs, ours, rtol=1e-3)


@pytest.mark.parametrize("name", FULL_CELLS)
def test_every_full_cell(name):
    """Heat capacity, cooling and solid conductivities are those of PyBaMM's DFN."""
    values = pybamm.ParameterValues(name)
    cell, _ = quietly(values)
    p = pybamm.LithiumIonParameters({"thermal": "lumped"})
    T = pybamm.Scalar(float(cell.temperature))
    for side, domain in (("Negative", p.n), ("Positive", p.p)):
        b = values[f"{side} electrode Bruggeman coefficient (electrode)"]
        filled = (1.0 - values[f"{side} electrode porosity"]) ** b
        sigma = values.evaluate(domain.sigma(pybamm.Scalar(0.5), T)) * filled
        found = getattr(cell, side.lower()).conductivity
        assert float(found) == pytest.approx(sigma, rel=1e-9)
    if "Cell volume [m3]" not in values:
        return
    if "Negative electrode density [kg.m-3]" not in values:
        # PyBaMM's lumped model does not know the densities of composites.
        values.update(
            {
                "Negative electrode density [kg.m-3]": (0.735 * 1657 + 0.015 * 2650)
                / 0.75
            },
            check_already_exists=False,
        )
    capacity = values.evaluate(p.rho_c_p_eff(T) * p.V_cell)
    found = cell.thermal.mass * cell.thermal.specific_heat
    assert float(found) == pytest.approx(capacity, rel=1e-9)
    cooling = values.evaluate(p.h_total * p.A_cooling)
    assert float(cell.thermal.cooling) == pytest.approx(cooling, rel=1e-12)


def test_mass_is_that_of_the_layers():
    """With current collectors, in the cell's volume."""
    v = pybamm.ParameterValues("Chen2020")
    layers = {
        name: v[f"{name} thickness [m]"]
        for name in (
            "Negative current collector",
            "Negative electrode",
            "Separator",
            "Positive electrode",
            "Positive current collector",
        )
    }
    areal = sum(d * v[f"{name} density [kg.m-3]"] for name, d in layers.items())
    expected = v["Cell volume [m3]"] * areal / sum(layers.values())
    assert float(from_pybamm(v).thermal.mass) == pytest.approx(expected, rel=1e-12)


def test_conductivity_of_prada():
    """Not active_fraction ** 1.5, which is half of it."""
    cell = from_pybamm(pybamm.ParameterValues("Prada2013"))
    expected = 0.33795 * (1.0 - 0.426) ** 1.5
    assert float(cell.positive.conductivity) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OTHERS)
def test_other_kinds_of_sets(name):
    with pytest.raises(ValueError, match=f"are of {OTHERS[name]}"):
        from_pybamm(pybamm.ParameterValues(name))


def test_what_is_no_parameter_values():
    with pytest.raises(
        TypeError, match=r"a str; use pybamm.ParameterValues\('Chen2020'\)"
    ):
        from_pybamm("Chen2020")  # pyright: ignore[reportArgumentType]


LAWS = {
    "Ai2020": ("conductivity", "diffusivity", "thermodynamic_factor"),
    "Ecker2015": ("conductivity",),
    "NCA_Kim2011": ("conductivity", "diffusivity"),
    "ORegan2022": ("conductivity", "diffusivity", "t_plus", "thermodynamic_factor"),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("T", [None, 283.15])
def test_laws_are_frozen_at_a_temperature(name, T):
    """Electrolyte properties are PyBaMM's there, and at any temperature of a run."""
    values = pybamm.ParameterValues(name)
    cell, said = quietly(values, temperature=T)
    here = values["Ambient temperature [K]"] if T is None else T
    assert float(cell.temperature) == here
    p, salt = pybamm.LithiumIonParameters(), 1300.0
    symbols = {
        "conductivity": p.kappa_e,
        "diffusivity": p.D_e,
        "t_plus": p.t_plus,
        "thermodynamic_factor": p.thermodynamic_factor,
    }
    for part in LAWS[name]:
        given = symbols[part](pybamm.Scalar(salt), pybamm.Scalar(here))
        law = getattr(cell.electrolyte, part)
        for run in (here, 263.15):
            found = float(law(jnp.asarray(salt), jnp.asarray(run)))
            # A table stands between its points: relative, in the middle of a law.
            assert found == pytest.approx(float(values.evaluate(given)), rel=1e-5)
    (frozen,) = [text for text in said if "frozen" in text]
    assert f"frozen at {here:g} K" in frozen
    for words in ("Electrolyte conductivity [S.m-1]", "Thermodynamic factor")[
        : 1 + ("thermodynamic_factor" in LAWS[name])
    ]:
        assert words in frozen
    if name == "ORegan2022":
        assert "Positive electrode specific heat capacity" in frozen
        assert "Positive electrode conductivity [S.m-1]" in frozen
        assert any("root of the salt concentration" in text for text in said)


def test_laws_that_naion_has_are_kept():
    """Of Arrhenius form, with the values' own reference temperature."""
    cell, _ = quietly(pybamm.ParameterValues("Ecker2015"))
    law = cell.negative.particle.diffusivity.temperature
    assert isinstance(law, Arrhenius)
    assert float(law.reference) == 296.15
    assert float(cell.temperature) == 298.15


@pytest.mark.parametrize("T", [273.15, 313.15])
def test_ambient_temperature_is_the_cells(T):
    """With potentials of that temperature, as PyBaMM has them."""
    values = pybamm.ParameterValues("Marquis2019")
    values.update({"Ambient temperature [K]": T, "Initial temperature [K]": T})
    cell = from_pybamm(values)
    assert float(cell.temperature) == T
    p: Any = pybamm.LithiumIonParameters()
    for side, domain in (("negative", p.n.prim), ("positive", p.p.prim)):
        particle = getattr(cell, side).particle
        for run in (T, 298.15):
            U = values.evaluate(domain.U(pybamm.Scalar(0.6), pybamm.Scalar(run)))
            at = jnp.asarray(run) - cell.temperature
            x = jnp.asarray(0.6)
            found = particle.ocp(x, T_ROOM) + at * particle.dudt(x, T_ROOM)
            assert float(found) == pytest.approx(float(U), abs=2e-6)


def test_temperatures_that_are_not_used():
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Initial temperature [K]": 310.0})
    with pytest.warns(na.Caution, match="of 310 K is not used"):
        from_pybamm(values)
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Ambient temperature [K]": lambda y, z, t: 298.15 + t / 3600})
    with pytest.warns(na.Caution, match="is a function of time"):
        assert float(from_pybamm(values).temperature) == 298.15
    with pytest.raises(ValueError, match="temperature is 25; expected kelvin"):
        from_pybamm(values, temperature=25.0)


def test_windows_and_voltages():
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Open-circuit voltage at 100% SOC [V]": 4.1})
    with pytest.warns(na.Caution, match="100% SOC .* is 4.1 V, which is not used"):
        from_pybamm(values)
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Upper voltage cut-off [V]": 3.9, "Lower voltage cut-off [V]": 2.5})
    values.update({"Open-circuit voltage at 100% SOC [V]": 3.9})
    with pytest.warns(na.Caution, match="initial state has an open-circuit voltage of"):
        from_pybamm(values)


@pytest.mark.parametrize(
    "name, given, message",
    [
        ("Separator porosity", "[input]", "it needs the input 'Separator porosity'"),
        ("Negative electrode thickness [m]", lambda: 1 / 0, "ZeroDivisionError"),
        ("Negative electrode porosity", lambda x, y, z: 0.2 + x, "depends on position"),
        ("Positive particle diffusivity [m2.s-1]", lambda a, b, c: a, "TypeError"),
        (
            "Positive electrode OCP [V]",
            lambda x: pybamm.sqrt(x - 0.5),
            "it is nan at 0.0001",
        ),
        (
            "Electrolyte conductivity [S.m-1]",
            lambda c, T: pybamm.InputParameter("kappa") * c,
            "it needs the input 'kappa'",
        ),
        ("Cation transference number", lambda c, T: pybamm.t * c, "depends on time"),
        (
            "Number of cells connected in series to make a battery",
            4,
            "4 cells in series",
        ),
    ],
)
def test_what_cannot_be_used_is_named(name, given, message):
    values = pybamm.ParameterValues("Chen2020")
    values.update({name: given})
    with pytest.raises(ValueError) as error:
        from_pybamm(values)
    assert message in str(error.value) and name in str(error.value)


def test_what_is_missing_is_listed():
    bare = pybamm.ParameterValues({"Nominal cell capacity [A.h]": 1.0})
    with pytest.raises(ValueError, match="missing are .*Separator thickness"):
        from_pybamm(bare)


@pytest.mark.parametrize(
    "given, said",
    [
        (7.0, []),
        (lambda sto, T: 7.0, []),
        (lambda sto, T: 14.0 * sto, ["at stoichiometry 0.5"]),
        (lambda T: 7.0 * T / 298.15, ["Positive electrode conductivity"]),
        (lambda sto, T, slope=7.0: slope * T / 298.15, ["conductivity [S.m-1]"]),
    ],
    ids=["number", "constant", "of sto", "of T", "of both"],
)
def test_conductivities(given, said):
    values = pybamm.ParameterValues("Chen2020")
    values.update({"Positive electrode conductivity [S.m-1]": given})
    cell, cautions = quietly(values)
    assert float(cell.positive.conductivity) == pytest.approx(7.0, rel=1e-12)
    assert len(cautions) == len(said)
    assert all(words in text for words, text in zip(said, cautions, strict=True))


def test_composites_are_blends():
    values = pybamm.ParameterValues("Chen2020_composite")
    cell, said = quietly(values)
    (silicon,) = cell.negative.others
    assert (float(cell.negative.active_fraction), float(silicon.active_fraction)) == (
        0.735,
        0.015,
    )
    assert float(silicon.particle.radius) == 1.52e-6
    p: Any = pybamm.LithiumIonParameters({"particle phases": ("2", "1")}).n
    x = jnp.asarray(0.4)
    for particle, phase in (
        (cell.negative.particle, p.prim),
        (silicon.particle, p.sec),
    ):
        U = values.evaluate(phase.U(pybamm.Scalar(0.4), pybamm.Scalar(298.15)))
        expected = float(np.ravel(U)[0])
        assert float(particle.ocp(x, T_ROOM)) == pytest.approx(expected, abs=1e-5)
    # The content of both materials, in the equilibrium that naion starts from.
    sites = np.array([0.735 * 28700.0, 0.015 * 278000.0])
    start = np.array([27700.0 / 28700.0, 276610.0 / 278000.0])
    mean = float(np.sum(sites * start) / np.sum(sites))
    assert float(cell.published.negative) == pytest.approx(mean, rel=1e-12)
    at = compositions(cell.negative, cell.published.negative, T_ROOM, T_ROOM)
    assert float(np.sum(sites * np.array(at)) / np.sum(sites)) == pytest.approx(mean)
    assert any(
        "different potentials at their initial concentrations" in s for s in said
    )
    assert any("no 'Secondary: Negative particle hysteresis decay" in s for s in said)
    assert 4.1 < float(open_circuit_voltage(cell, cell.published, T_ROOM)) < 4.2


def with_branches(rates: dict[str, float], start: float) -> pybamm.ParameterValues:
    values = pybamm.ParameterValues("Chen2020")
    U = values["Negative electrode OCP [V]"]
    particle = "Negative particle"
    changes = {f"{particle} {k}hysteresis decay rate": v for k, v in rates.items()}
    changes |= {
        "Negative electrode lithiation OCP [V]": lambda sto: U(sto) - 0.02,
        "Negative electrode delithiation OCP [V]": lambda sto: U(sto) + 0.04 * sto,
        "Initial hysteresis state in negative electrode": start,
    }
    values.update(changes, check_already_exists=False)
    return values


def test_hysteresis_is_pybamms():
    """Branches, and the state of a discharge, from PyBaMM's own model."""
    values = with_branches({"lithiation ": 12.0, "delithiation ": 12.0}, start=-0.5)
    h = from_pybamm(values).negative.particle.hysteresis
    assert h is not None
    x = jnp.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(h.half_width(x, T_ROOM), 0.01 + 0.02 * x, atol=1e-6)
    options = {"open-circuit potential": ("one-state hysteresis", "single")}
    with warnings.catch_warnings():
        # PyBaMM says at every use that its decay rates changed in release 25.10.
        warnings.simplefilter("ignore")
        model = pybamm.lithium_ion.SPM(options)
        solution = pybamm.Simulation(model, parameter_values=values).solve([0.0, 900.0])
    state = solution["X-averaged negative electrode hysteresis state"].entries
    content = solution["Negative electrode stoichiometry"].entries
    moved = np.abs(content - content[0])
    # naion's own equation at a current far above the threshold, dh/dx = gamma (1 - h).
    expected = 1.0 - (1.0 - h.initial) * jnp.exp(-h.decay * moved)
    assert moved[-1] > 0.1
    np.testing.assert_allclose(state, expected, atol=1e-3)


def test_hysteresis_that_naion_has_not():
    values = with_branches({"lithiation ": 8.0, "delithiation ": 12.0}, start=0.0)
    with pytest.warns(na.Caution, match="decay rates of 8 to 12; .*: 10 is used"):
        found = from_pybamm(values).negative.particle.hysteresis
    assert found is not None and float(found.decay) == 5.0
    values = with_branches({"": 8.0}, start=0.0)
    factor = "Negative particle hysteresis switching factor"
    values.update({factor: 0.0}, check_already_exists=False)
    found = from_pybamm(values).negative.particle.hysteresis
    assert found is not None and float(found.decay) == 4.0
    values.update({factor: 0.5})
    with pytest.raises(ValueError, match="switching factor"):
        from_pybamm(values)
