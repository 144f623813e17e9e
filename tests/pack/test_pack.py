"""Packs against single cells, hand calculations, and splitting of currents in small steps."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion import pack as pk
from naion.claims._mixes import mix
from naion.claims._product import Made
from naion.claims._runs import Setting
from naion.mesh import Mesh
from naion.parameters import load, stoichiometry_at_soc
from naion.protocol import Protocol
from naion.solvers._integrate import row
from naion.systems import Members, PackSystem, segments_of

MODEL = na.DFN(Mesh(4, 2, 4, 8))
WARM = na.DFN(Mesh(4, 2, 4, 8), na.Lumped())


@pytest.fixture(scope="module")
def sodium():
    return load("nfm_hc_18650")


@pytest.fixture(scope="module")
def lithium():
    return load("lfp_aboutenergy")


def _scaled(cell, factor):
    return eqx.tree_at(lambda c: c.area, cell, factor * cell.area)


CONVERTERS = pk.Converters(
    jnp.array([0.4, 0.6]), jnp.asarray(12.0), jnp.asarray(0.1), jnp.asarray(1e-3)
)
CASES = {
    "converters": (
        "a.a/a.l",
        {"converters": CONVERTERS, "string_resistance": 0.01},
        MODEL,
        "Discharge at 10 W for 60 s",
    ),
    "strings with heat": (
        "a.al/a.l",
        {
            "exchange": np.full((5, 5), 0.3),
            "connection": 0.01,
            "string_resistance": 0.02,
        },
        WARM,
        "Hold at 6.5 V for 60 s",
    ),
}


def _built(text, sodium, lithium, options):
    """ "a.al/l" is two strings: a, then a and l in parallel; l."""
    of = {"a": sodium, "l": lithium}
    strings = [
        [[of[k] for k in group] for group in string.split(".")]
        for string in text.split("/")
    ]
    return pk.build(strings, **options)


@pytest.mark.parametrize("case", CASES)
def test_step_matrix_and_its_transpose(case, sodium, lithium):
    """Against the dense Jacobian by forward derivatives, with every part of the wires."""
    text, options, model, protocol = CASES[case]
    small = na.DFN(Mesh(3, 2, 3, 4), model.thermal)
    pack = _built(text, sodium, lithium, options)
    segments = segments_of(Protocol(protocol), pack, pack.temperature)
    equations = tuple(small.for_cell(c) for c in pack.cells)
    system = PackSystem(Members(equations, pack.wiring))
    args, zero = system.discretise(pack), jnp.zeros(())
    sto = tuple(
        jax.vmap(lambda c: stoichiometry_at_soc(c, jnp.asarray(0.7)))(c)
        for c in pack.cells
    )
    control = row(segments.control, 0)
    y = system.equilibrium(args, sto, pack.temperature)
    y = system.start_guess(zero, y, args, control)
    rng = np.random.default_rng(0)
    y = y * (1.0 + 1e-3 * rng.standard_normal(y.shape))
    x, shift = rng.standard_normal(len(y)), 100.0

    # Two programs: XLA takes far longer over both in one.
    J = jax.jit(jax.jacfwd(lambda y: system.rates(zero, y, args, control)))(y)
    A = shift * np.diag(system.mass) - np.asarray(J)

    @jax.jit
    def solved(y, b, c):
        factors = system.factor(jnp.asarray(shift), zero, y, args, control)
        return factors.solve(b), factors.solve_transposed(c)

    for found in solved(y, A @ x, A.T @ x):
        np.testing.assert_allclose(found, x, atol=1e-9)


def test_equal_cells_are_one(sodium):
    """In series the voltage multiplies, in parallel the current."""
    steps = ["Discharge at 1C for 30 min", "Rest for 5 min", "Charge at C/2 for 20 min"]
    one = na.simulate(sodium, steps, model=MODEL)
    series = pk.simulate(pk.build([[sodium] * 3]), steps, model=MODEL)
    beside = pk.simulate(pk.build([[[sodium] * 3]]), steps, model=MODEL)
    strings = pk.simulate(pk.build([[sodium] * 2] * 2), steps, model=MODEL)
    t = np.linspace(60.0, 3200.0, 12)
    alone = one.at(t)
    for done, in_series, parallel in ((series, 3, 1), (beside, 1, 3), (strings, 2, 2)):
        found = done.whole.at(t)
        np.testing.assert_allclose(found.voltage, in_series * alone.voltage, rtol=1e-8)
        np.testing.assert_allclose(
            found.current, parallel * alone.current, rtol=1e-8, atol=1e-9
        )
        n = in_series * parallel
        assert float(done.whole.energy) == pytest.approx(
            n * float(one.energy), rel=1e-6
        )


def test_series_ends_with_its_weakest_cell(sodium):
    weak = _scaled(sodium, 0.8)
    alone = na.simulate(weak, "Discharge at 1.5 A until 1.5 V", model=MODEL)
    done = pk.simulate(
        pk.build([[sodium, weak, sodium]]), "Discharge at 1.5 A", model=MODEL
    )
    assert done.whole.result == na.Result.CUT_OFF
    assert float(done.whole.capacity) == pytest.approx(float(alone.capacity), rel=1e-4)
    last = np.asarray(done.cells("voltage")[-1])
    assert last[1] == pytest.approx(1.5, abs=1e-6) and min(last[0], last[2]) > 1.6


@pytest.fixture(scope="module")
def unlike(sodium, lithium):
    """A large and a small sodium cell beside a lithium cell, loaded and then at rest."""
    cells = [sodium, _scaled(sodium, 0.7), lithium]
    pack = pk.build([[cells, lithium]], connection=[0.01, 0.02, 0.015, 0.005])
    steps = ["Discharge at C/2 for 20 min", "Rest for 30 min"]
    return pk.simulate(pack, steps, model=MODEL, start=0.6)


def test_charge_and_current_are_kept(unlike):
    current = np.asarray(unlike.cells("current"))
    of_group = current[:, :3].sum(axis=1)
    np.testing.assert_allclose(of_group, unlike.whole.current, atol=1e-9)
    np.testing.assert_allclose(current[:, 3], unlike.whole.current, atol=1e-9)
    charge = np.asarray(unlike.cells("charge"))
    scale = np.abs(charge).max()
    through = 3600.0 * np.asarray(unlike.whole.discharged)
    np.testing.assert_allclose(charge[:, :3].sum(axis=1), through, atol=1e-9 * scale)
    np.testing.assert_allclose(charge[:, 3], through, atol=1e-9 * scale)


def test_voltages_add_up(unlike):
    V, I = (np.asarray(unlike.cells(k)) for k in ("voltage", "current"))
    at_group = V - I * np.array([0.01, 0.02, 0.015, 0.005])
    # Parallel cells have one voltage behind their connections.
    np.testing.assert_allclose(
        at_group[:, 1:3], at_group[:, :1] + np.zeros((1, 2)), atol=2e-4
    )
    np.testing.assert_allclose(
        at_group[:, [0, 3]].sum(axis=1), unlike.whole.voltage, atol=2e-4
    )


def test_unequal_cells_exchange_charge_at_rest(unlike):
    rest = np.asarray(unlike.whole.t) > 1201.0
    current = np.asarray(unlike.cells("current"))[rest][:, :3]
    assert np.abs(current).max() > 0.01
    np.testing.assert_allclose(current.sum(axis=1), 0.0, atol=1e-9)
    # It dies away.
    assert np.abs(current[-1]).max() < 0.5 * np.abs(current[0]).max()


def test_against_splitting_in_small_steps(sodium):
    """As liionpack does: currents from the voltages and resistances of the step before.

    Its error falls with the step, and what it falls towards is the pack's solution.
    """
    other = _scaled(sodium, 0.75)
    cells, R = (sodium, other), np.array([0.02, 0.04])
    pack = pk.build([[list(cells)]], connection=R)
    total, length = 1.5, 360.0
    done = pk.simulate(
        pack, f"Discharge at {total} A for {length} s", model=MODEL, rtol=1e-6
    )
    exact = float(np.asarray(done.cells("charge"))[-1, 0])
    errors = []
    for n in (3, 6, 12):
        currents = np.zeros((n, 2))
        V = np.array([_voltage(c, []) for c in cells])
        inner = np.array([0.15, 0.2])
        for k in range(n):
            # Both behind one voltage: V_i - (R_i + inner_i) I_i, currents add up.
            r = R + inner
            common = (np.sum(V / r) - total) / np.sum(1.0 / r)
            currents[k] = (V - common) / r
            ends = np.array(
                [
                    _voltage(c, currents[: k + 1, i], length / n)
                    for i, c in enumerate(cells)
                ]
            )
            V = ends + inner * currents[k]
        errors.append(abs(currents[:, 0].sum() * length / n - exact))
    assert errors[2] < errors[1] < errors[0]
    assert errors[2] < 4e-3 * exact


ROWS = Protocol([na.Step(na.Mode.CURRENT, 1.0, duration=1.0)] * 12)


def _voltage(cell, currents, length=1.0):
    """After constant currents of equal length; at rest before."""
    rows = np.zeros(len(ROWS.value))
    rows[: len(currents)] = currents
    protocol = eqx.tree_at(
        lambda p: (p.value, p.duration, p.count),
        ROWS,
        (
            jnp.asarray(rows),
            jnp.full(len(rows), length),
            jnp.asarray(max(1, len(currents))),
        ),
    )
    return float(
        na.simulate(cell, protocol, model=MODEL, rtol=1e-5, max_steps=400).end.voltage
    )


def test_converters(sodium, lithium, tmp_path):
    """A string of each chemistry; each gives its share less what the converter takes."""
    pack = pk.build([[sodium] * 3, [lithium] * 3], converters=CONVERTERS)
    done = pk.simulate(pack, "Discharge at 6 W for 10 min", model=MODEL, start=0.7)
    V, I = (np.asarray(done.cells(k)) for k in ("voltage", "current"))
    power = np.stack([V[:, :3].sum(1) * I[:, 0], V[:, 3:].sum(1) * I[:, 3]], axis=1)
    given = np.asarray(CONVERTERS.delivered(power))
    np.testing.assert_allclose(given, [[2.4, 3.6]] * len(given), rtol=1e-3)
    np.testing.assert_allclose(np.asarray(done.whole.voltage), 12.0, atol=1e-6)
    assert float(done.whole.energy) == pytest.approx(1.0, rel=1e-5)  # 6 W for 10 min
    # What is saved comes back as what it was, its cells too.
    done.save(tmp_path / "pack.npz")
    again = pk.PackSolution.load(tmp_path / "pack.npz")
    np.testing.assert_array_equal(again.cells("current"), I)
    with pytest.raises(ValueError, match="holds a PackSolution: expected a Solution"):
        na.Solution.load(tmp_path / "pack.npz")


def test_heat_flows_from_cell_to_cell(sodium):
    """Without surroundings heat is kept; with strong exchange there is one temperature."""
    alone = eqx.tree_at(lambda c: c.thermal.cooling, sodium, jnp.zeros(()))
    weak = eqx.tree_at(
        lambda c: c.contact_resistance.scale,
        alone,
        3.0 * alone.contact_resistance.scale,
    )
    step = "Discharge at 1C for 20 min"
    ends = {}
    for conductance in (0.0, 0.05, 50.0):
        exchange = np.array([[0.0, conductance], [conductance, 0.0]])
        pack = pk.build([[alone, weak]], exchange=exchange)
        done = pk.simulate(pack, step, model=WARM)
        ends[conductance] = np.asarray(done.cells("temperature"))[-1]
    apart = [float(e[1] - e[0]) for e in ends.values()]
    assert apart[0] > apart[1] > apart[2] and abs(apart[2]) < 0.01
    assert ends[50.0].mean() == pytest.approx(ends[0.0].mean(), abs=0.3)
    with pytest.raises(ValueError, match="Lumped"):
        pk.simulate(pack, step, model=MODEL)


def test_derivatives(sodium, lithium, derivatives):
    """Forward, reverse and by differences, through a cut-off."""

    def energy(k):
        area, resistance = k
        a = eqx.tree_at(lambda c: c.area, sodium, area)
        pack = pk.build([[[a, lithium], lithium]])
        pack = eqx.tree_at(lambda p: p.connection, pack, pack.connection + resistance)
        # Where the lithium cell is full the sodium cell beside it is far from it.
        options = {"start": 0.6, "model": MODEL, "throw": False, "rtol": 1e-6}
        return pk.simulate(pack, "Discharge at 1C", **options).whole.energy

    area = float(sodium.area)
    found = derivatives(energy, [area, 0.01], [1e-3 * area, 1e-4])
    assert np.all(np.abs(found.forward) > 0.1)
    np.testing.assert_allclose(found.forward, found.reverse, rtol=1e-6)
    np.testing.assert_allclose(found.forward, found.differences, rtol=1e-2)


def test_batches(sodium):
    pack = pk.build([[sodium, sodium]])

    def capacity(factor):
        cells = pack.cells[0]
        areas = cells.area * jnp.array([1.0, factor])
        drawn = eqx.tree_at(lambda p: p.cells[0].area, pack, areas)
        return pk.simulate(
            drawn, "Discharge at 1C", model=MODEL, throw=False
        ).whole.capacity

    found = jax.jit(jax.vmap(capacity))(jnp.array([0.8, 0.9, 1.0]))
    assert np.all(np.diff(np.asarray(found)) > 0.0)


def test_bad_packs(sodium, unlike):
    with pytest.raises(ValueError, match="at least one string"):
        pk.build([])
    with pytest.raises(ValueError, match="Expected a Cell"):
        pk.build([["a"]])
    with pytest.raises(ValueError, match="connection: expected one number"):
        pk.build([[sodium]], connection=[1.0, 2.0])
    for strings in (sodium, [sodium, sodium], "ab"):
        with pytest.raises(ValueError, match="list of strings, each a list of groups"):
            pk.build(strings)
    with pytest.raises(
        ValueError, match="Cells 2 of the pack are half .* 1, 3 are full"
    ):
        pk.build([[sodium, na.half_cell(sodium), sodium]])
    for value in (-0.1, np.nan, "1 mohm"):
        with pytest.raises(ValueError, match=f"connection: .*{value}"):
            pk.build([[sodium]], connection=value)
    with pytest.raises(TypeError, match="Expected a pack, got a Cell"):
        pk.simulate(sodium, "Rest for 1 s", model=MODEL)
    two = pk.build([[sodium] * 2])
    for start, said in ((np.full(3, 0.5), "each of the 2 cells"), (80, "80")):
        with pytest.raises(ValueError, match=f"start.*{said}"):
            pk.simulate(two, "Rest for 1 s", model=MODEL, start=start)
    with pytest.raises(ValueError, match="symmetric"):
        pk.build([[sodium] * 2], exchange=[[0.0, 1.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match="add up to one"):
        pk.build([[sodium]], converters=CONVERTERS)
    with pytest.raises(ValueError, match="expected one of voltage"):
        unlike.cells("colour")


def test_claims_about_mixes_are_what_packs_do(sodium, lithium):
    """The audit simulates one cell of each chemistry; a series of all cells agrees."""
    Q = lithium.nominal_capacity
    sodium = eqx.tree_at(
        lambda c: (c.area, c.nominal_capacity),
        sodium,
        (sodium.area * Q / sodium.nominal_capacity, Q),
    )
    numbers = {"rate": 0.5, "temperature_degC": -10.0, "sodium_share": 0.4}
    setting = Setting("isothermal", MODEL.mesh)
    numbers = {k: jnp.asarray(v) for k, v in (numbers | {"efficiency": 1.0}).items()}
    found = np.asarray(mix((Made(sodium, None), Made(lithium, None)), numbers, setting))
    beside, _, series, strings, pure, *_ = found
    pack = pk.build([[sodium] * 2 + [lithium] * 3])

    def energy(p):
        done = pk.simulate(
            p, "Discharge at 0.5C", model=MODEL, temperature=263.15, throw=False
        )
        return float(done.whole.energy / p.mass)

    assert series == pytest.approx(energy(pack), rel=2e-3)
    assert pure == pytest.approx(energy(pk.build([[lithium]])), rel=2e-3)
    assert beside == pytest.approx(100.0 * series / pure)
    # Strings that are emptied by themselves give no less.
    assert strings >= series * (1.0 - 1e-6)
