"""Published sets: numbers, provenance, balance and round trips."""

import json
import operator
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from naion.fit import FreeParameter, FreeVector, Specimen, assumed
from naion.parameters import (
    TWO_SD,
    Cell,
    Sourced,
    Stoichiometry,
    available,
    check_start,
    electrode_capacities,
    from_json,
    load,
    load_set,
    open_circuit_voltage,
    start_of,
    stoichiometry_at_soc,
    stoichiometry_at_voltage,
    to_json,
)
from naion.properties import Constant, Property

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"

SETS = (
    "cfm_hc_32140",
    "lfp_aboutenergy",
    "nfm_hc_18650",
    "nfm_hc_prismatic",
    "nfpp_hc_32140",
    "nmc111_aboutenergy",
    "nmc811_chen2020",
    "nvpf_hc_chayambuka2022",
    "pw_hc_prismatic",
)


def test_all_sets_are_registered():
    assert set(SETS) <= set(available())


def test_unknown_name_lists_near_ones():
    with pytest.raises(KeyError, match="Nearest: nvpf_hc_chayambuka2022"):
        load("chayambuka2022")
    with pytest.raises(TypeError, match="A set has a name, .*got 3"):
        load(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(KeyError, match="nmc811_chen2020"):
        load("zzz")


@pytest.mark.parametrize("name", SETS)
class TestSet:
    def test_loads(self, name):
        data = load_set(name)
        assert data.name == name and isinstance(data.cell, Cell)
        assert data.title and data.citation and data.licence
        leaves = jax.tree.leaves(data.cell)
        assert all(a.dtype == jnp.float64 and np.all(np.isfinite(a)) for a in leaves)

    def test_numbers_are_physical(self, name):
        c = load(name)
        positive = [
            c.area,
            c.nominal_capacity,
            c.temperature,
            c.electrolyte.concentration,
            c.thermal.mass,
            c.thermal.specific_heat,
            c.thermal.cooling,
            c.separator.thickness,
        ]
        for e in (c.negative, c.positive):
            positive += [e.thickness, e.conductivity, e.particle.radius]
            positive += [e.particle.c_max, e.active_fraction, e.porosity]
            assert e.active_fraction + e.porosity <= 1.0
            assert 0.0 < e.transport_efficiency <= e.porosity
        assert all(v > 0.0 for v in positive)
        assert 0.0 < c.separator.transport_efficiency <= c.separator.porosity < 1.0
        assert c.limits.lower_voltage < c.limits.upper_voltage

    def test_properties_are_positive_in_their_range(self, name):
        c, x = load(name), jnp.linspace(0.0, 1.0, 401)
        for T in (253.15, 298.15, 323.15):
            T = jnp.asarray(T)
            for e in (c.negative, c.positive):
                assert np.all(e.particle.diffusivity(x, T) > 0.0)
                assert np.all(e.particle.rate_constant(x, T) > 0.0)
                assert np.all(e.particle.film_resistance(x, T) >= 0.0)
            salt = jnp.linspace(50.0, 2500.0, 200)
            e = c.electrolyte
            assert np.all(e.conductivity(salt, T) > 0.0)
            assert np.all(e.diffusivity(salt, T) > 0.0)
            assert np.all(e.thermodynamic_factor(salt, T) > 0.0)
            t_plus = e.t_plus(salt, T)
            assert np.all((t_plus > 0.0) & (t_plus < 1.0))
            assert c.contact_resistance(T, T) >= 0.0

    def test_ocps_fall_with_sodium(self, name):
        c, x = load(name), jnp.linspace(0.01, 0.99, 500)
        for e in (c.negative, c.positive):
            U = np.asarray(e.particle.ocp(x, c.temperature))
            # Plateaus of digitised points rise by 0.16 mV between neighbours here.
            assert np.diff(U).max() < 2e-4
            assert U[0] > U[-1]

    def test_provenance_is_what_the_cell_holds(self, name):
        data = load_set(name)
        paths = [p.name for p in data.provenance]
        assert len(paths) == len(set(paths))
        checked = 0
        for entry in data.provenance:
            leaf = operator.attrgetter(entry.name)(data.cell)
            assert entry.unit and entry.source and entry.quality in "MFDSA"
            if isinstance(entry.value, str):
                assert isinstance(leaf, Property)
                assert not isinstance(leaf.curve, Constant)
                continue
            value = leaf.curve.value if isinstance(leaf, Property) else leaf
            assert float(value) == entry.value, entry.name
            checked += 1
        assert checked > 30

    def test_numbers_with_ranges_are_free_within_them(self, name):
        data = load_set(name)
        free = assumed(data)
        ranges = [p.range for p in data.provenance if p.quality == "A"]
        assert None not in ranges
        assert len(free) == sum(p.range is not None for p in data.provenance)
        vector = FreeVector.of_cell(free, data.cell)
        z, (low, high) = vector.get(Specimen(data.cell, [0.0])), vector.bounds
        assert np.all((low <= z) & (z <= high))
        assert np.all((vector.priors > 0.0) & (vector.priors < high - low))

    def test_every_number_has_a_provenance(self, name):
        data = load_set(name)
        recorded = {p.name for p in data.provenance}

        def covered(path: str) -> bool:
            parts = path.split(".")
            return any(
                ".".join(parts[:i]) in recorded for i in range(1, len(parts) + 1)
            )

        leaves = jax.tree_util.tree_leaves_with_path(data.cell)
        paths = [jax.tree_util.keystr(k).removeprefix(".") for k, _ in leaves]
        # Bookkeeping, not physics: fit scales and reference temperatures.
        paths = [p for p in paths if not p.endswith((".scale", ".reference"))]
        assert [p for p in paths if not covered(p)] == []

    def test_json_round_trip_is_exact(self, name):
        cell = load(name)
        again = from_json(json.loads(json.dumps(to_json(cell), allow_nan=False)))
        assert eqx.tree_equal(cell, again, typematch=True)

    def test_soc_0_and_1_meet_the_voltage_limits(self, name):
        c = load(name)
        for soc, V in ((0.0, c.limits.lower_voltage), (1.0, c.limits.upper_voltage)):
            sto = stoichiometry_at_soc(c, jnp.asarray(soc))
            assert 0.0 < sto.negative < 1.0 and 0.0 < sto.positive < 1.0
            ocv = open_circuit_voltage(c, sto, c.temperature)
            # Bisection to 2^-60, and one Newton correction.
            assert abs(float(ocv - V)) < 1e-9

    def test_soc_keeps_sodium_and_is_linear_in_charge(self, name):
        c = load(name)
        Q_n, Q_p = electrode_capacities(c)
        total = c.published.negative * Q_n + c.published.positive * Q_p
        x = []
        for soc in (0.0, 0.25, 0.5, 1.0):
            sto = stoichiometry_at_soc(c, jnp.asarray(soc))
            kept = sto.negative * Q_n + sto.positive * Q_p
            assert abs(float(kept / total - 1.0)) < 1e-14
            x.append(float(sto.negative))
        assert x[0] < x[1] < x[2] < x[3]
        assert x[1] == pytest.approx(0.75 * x[0] + 0.25 * x[3], rel=1e-13)

    def test_capacity_between_the_limits_is_near_nominal(self, name):
        c = load(name)
        empty, full = (stoichiometry_at_soc(c, jnp.asarray(s)) for s in (0.0, 1.0))
        Q_n, _ = electrode_capacities(c)
        capacity = float((full.negative - empty.negative) * Q_n)
        # Nominal capacities are rounded, and those of laboratory cells are at a rate.
        assert 0.85 < capacity / float(c.nominal_capacity) < 1.5


def test_tables_of_expressions_are_dense_enough():
    """LFP's potential as About:Energy gives it, over the cell's window."""
    c = load("lfp_aboutenergy")
    x = jnp.linspace(0.0875, 0.95038, 3001)
    expected = (
        3.41285712
        - 1.49721852e-2 * x
        + 3.54866018e14 * jnp.exp(-3.95729493e2 * x)
        - 1.45998465 * jnp.exp(-1.10108622e2 * (1.0 - x))
    )
    U = c.positive.particle.ocp(x, c.temperature)
    np.testing.assert_allclose(U, expected, atol=2e-4)


def test_lfp_weighs_what_its_parts_weigh():
    """And not density times volume of the file, 33 g: 18650 of LFP weigh 40 to 42 g."""
    data = load_set("lfp_aboutenergy")
    assert 0.040 < float(data.cell.thermal.mass) < 0.043


def test_the_cold_of_lfp_is_that_of_its_benchmark():
    """The energies that were found, their ranges, and what they are called."""
    found = {p.name: p for p in load_set("lfp_aboutenergy").provenance}
    rows = (RESULTS / "lfp_cold_laws.jsonl").read_text(encoding="utf-8").splitlines()
    kept = {row["energy of"]: row for row in map(json.loads, rows)}
    for side in ("negative", "positive"):
        name = f"{side}.particle.rate_constant.temperature.energy"
        assert _in_kj(found[name]) == _of_table(kept[name])
        assert found[name].quality == "F" and "depositonce-25036" in found[name].source
    name = "positive.particle.diffusivity.temperature.energy"
    (value, *ends), (median, *kept_ends) = _in_kj(found[name]), _of_table(kept[name])
    assert abs(value - median) < 0.5 and ends == kept_ends
    # What data leave as it was believed is not called fitted.
    assert float(kept[name]["left of what was believed, %"]) > 80.0
    assert found[name].quality == "A"


def _in_kj(entry) -> list[float]:
    return [round(x / 1e3, 1) for x in (entry.value, *entry.range)]


def _of_table(row) -> list[float]:
    ends = row["range of two standard deviations, kJ/mol"].split(" to ")
    return [float(x) for x in (row["found, kJ/mol"], *ends)]


def test_priors_that_follow():
    """What is believed of a number is a ratio to a power of another's."""
    paths = ("cell.area", "cell.nominal_capacity")
    first = FreeParameter(paths[:1], (1e-3, 1.0), "log", prior=0.5)
    second = FreeParameter(
        paths[1:], (0.1, 10.0), "log", prior=0.2, follows=((paths[0], 2.0),)
    )
    specimen = Specimen(load("nfm_hc_18650"), [0.0])
    vector = FreeVector.of((first, second), specimen)
    root = vector.prior_root()
    expected = [[0.25, 0.5], [0.5, 4 * 0.25 + 0.04]]
    np.testing.assert_allclose(root @ root.T, expected, rtol=1e-12)
    start = jnp.asarray([0.1, 0.2])
    rows = vector.prior_rows(start, start + jnp.asarray([0.5, 1.1]))
    np.testing.assert_allclose(rows, [1.0, 0.5], rtol=1e-12)
    # What is not free does not move.
    alone = FreeVector.of((second,), specimen)
    np.testing.assert_allclose(alone.prior_root(), [[0.2]])


def test_assumed_entries_need_a_range_that_holds_them():
    with pytest.raises(ValueError, match=r"area is assumed \(A\): give its range"):
        Sourced("area", 1.0, "m2", "A", "guess")
    with pytest.raises(
        ValueError, match=r"area: range \[2, 3\] does not hold the .* 1"
    ):
        Sourced("area", 1.0, "m2", "A", "guess", (2.0, 3.0), 0.9)
    with pytest.raises(ValueError, match=r"area: bounds \[2, 3\] does not hold"):
        Sourced("area", 1.0, "m2", "M", "guess", (0.5, 3.0), 0.9, (2.0, 3.0))
    with pytest.raises(ValueError, match="area: level = None of its range; expected"):
        Sourced("area", 1.0, "m2", "A", "guess", (0.5, 3.0))
    with pytest.raises(
        ValueError, match="area: quality = 'X'; known are M, S, D, F, A"
    ):
        Sourced("area", 1.0, "m2", "X", "guess")  # pyright: ignore[reportArgumentType]
    with pytest.raises(
        ValueError, match="area is lognormal: expected range and bounds"
    ):
        Sourced("area", 1.0, "m2", "A", "s", (0.0, 3.0), 0.9, distribution="lognormal")


@pytest.mark.parametrize(("level", "deviations"), [(TWO_SD, 2.0), (0.90, 1.645)])
def test_a_range_stands_with_its_level(level, deviations):
    """Half a range in standard deviations; draws end at the bounds."""
    area = Sourced("area", 2.0, "m2", "A", "guess", (1.0, 4.0), level, (0.5, 6.0))
    assert area.is_log and area.deviations == deviations
    assert area.sd == pytest.approx(np.log(4.0) / (2.0 * deviations), rel=1e-12)
    np.testing.assert_allclose(area.at(jnp.asarray([-deviations, 0.0])), [1.0, 2.0])
    np.testing.assert_allclose(area.at(jnp.asarray([-99.0, 99.0])), [0.5, 6.0])
    shift = Sourced("dudt", 1.0, "V", "A", "guess", (-1.0, 2.0), level)
    assert not shift.is_log
    assert shift.sd == pytest.approx(3.0 / (2.0 * deviations), rel=1e-12)
    # Without bounds: two ranges to either side.
    np.testing.assert_allclose(shift.at(jnp.asarray([-99.0, 99.0])), [-5.0, 7.0])
    certain = Sourced("area", 2.0, "m2", "M", "a ruler")
    assert certain.sd == 0.0 and float(certain.at(jnp.asarray(3.0))) == 2.0


def test_balance_derivative():
    """dx/dV at fixed sodium, against differences and in both modes."""
    c = load("nfm_hc_18650")

    def x(V):
        return stoichiometry_at_voltage(c, V).negative

    V = jnp.asarray(3.1)
    difference = (x(V + 1e-5) - x(V - 1e-5)) / 2e-5
    # Differences of a cubic over 1e-5 V, with stoichiometries good to 1e-15.
    np.testing.assert_allclose(jax.grad(x)(V), difference, rtol=1e-6)
    np.testing.assert_allclose(jax.jacfwd(x)(V), jax.grad(x)(V), rtol=1e-12)


@pytest.mark.parametrize("name", ["nfm_hc_18650", "lfp_aboutenergy"])
def test_voltages_at_which_no_cell_rests(name):
    """Beyond its sodium, its tables and their walls; NaN where nothing can be raised."""
    c = load(name)
    for V in (9.0, 0.0):
        with pytest.raises(
            ValueError, match=f"cannot rest at {V:g} V.*allow .* to .* V"
        ):
            stoichiometry_at_voltage(c, V)
    sto = jax.jit(stoichiometry_at_voltage)
    assert np.isnan(sto(c, 9.0).negative) and np.isnan(sto(c, 9.0).positive)
    assert 0.0 < sto(c, 3.2).negative < 1.0


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (80, r"start=80: a state of charge is a fraction, 0 to 1; 80 % is 0.8"),
        (-1.0, "start=-1: a state of charge is a fraction"),
        (np.nan, "start=nan: a state of charge is a fraction"),
        (jnp.asarray(50.0), "start=50: a state"),
        (1j, "start=1j: a state of charge is a number"),
        (None, "start=None is no start. Use 'charged'"),
        (True, "start=True is no start"),
        ((0.5, 0.6), r"Stoichiometries are `Stoichiometry\(0.5, 0.6\)`"),
        (np.array([0.5, 0.6]), r"start has shape \(2,\): expected one number"),
        ("3.8 V", "Unknown start '3.8 V'.*stoichiometry_at_voltage"),
        ("50%", "Unknown start '50%'"),
        (
            Stoichiometry(jnp.asarray(1.2), jnp.asarray(0.4)),
            "negative stoichiometry is 1.2",
        ),
        (
            Stoichiometry(jnp.asarray(0.5), jnp.asarray(0.0)),
            "positive stoichiometry is 0",
        ),
        (Stoichiometry(0.5, "x"), "positive stoichiometry is x"),
    ],
)
def test_starts_that_are_none(start, message):
    with pytest.raises(ValueError, match=message):
        check_start(start)
    with pytest.raises(ValueError, match=message):
        start_of(load("nfm_hc_18650"), start)


def test_what_a_start_means():
    c = load("nfm_hc_18650")
    half = stoichiometry_at_soc(c, 0.5)
    assert eqx.tree_equal(start_of(c, 0.5), half)
    assert eqx.tree_equal(start_of(c, np.float32(0.5)), half)
    assert start_of(c, "published") is c.published
    assert start_of(c, half) is half
    for start, soc in (("charged", 1.0), ("discharged", 0.0), (1.02, 1.02)):
        assert eqx.tree_equal(start_of(c, start), stoichiometry_at_soc(c, soc))
    with pytest.raises(ValueError, match="soc=80: a state of charge"):
        stoichiometry_at_soc(c, 80)
    # What is traced is not looked at here.
    assert jax.eval_shape(lambda s: start_of(c, s), 80.0).negative.shape == ()


def test_json_errors_name_the_place():
    data = to_json(load("nfm_hc_18650"))
    data["negative"]["particle"]["ocp"]["curve"]["type"] = "Spline"
    with pytest.raises(ValueError, match="cell.negative.particle.ocp.curve: unknown"):
        from_json(data)
    data = to_json(load("nfm_hc_18650"))
    del data["separator"]["porosity"]
    with pytest.raises(ValueError, match="cell.separator: Separator has fields"):
        from_json(data)
    with pytest.raises(ValueError, match="Expected the JSON form"):
        from_json(to_json(load("nfm_hc_18650").negative))
