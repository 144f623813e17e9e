"""BPX files: a round trip, what cannot be said, and what cannot be read."""

import copy
import json
import warnings

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion.io import read_bpx, write_bpx
from naion.parameters import (
    electrode_capacities,
    with_hysteresis,
    with_plating,
    with_second_material,
)
from naion.properties import Expression

EXPRESSIBLE = ("nmc811_chen2020", "lfp_aboutenergy", "nmc111_aboutenergy")


def voltages(cell, **options):
    s = na.simulate(cell, "Discharge at 1C", **options)
    q = jnp.linspace(0.0, 0.98, 50) * s.capacity
    return np.append(np.asarray(s.voltage_at_charge(q)), s.capacity)


@pytest.mark.parametrize("name", EXPRESSIBLE)
@pytest.mark.parametrize("thermal", [na.Isothermal(), na.Lumped()], ids=str)
def test_round_trip(name, thermal, mesh, tmp_path):
    """1e-9 V, away from the reference temperature, with and without a heat balance."""
    cell, file = na.parameters.load(name), tmp_path / "cell.json"
    write_bpx(file, cell, name)
    again = read_bpx(file)
    options = dict(model=na.DFN(mesh, thermal), temperature=283.15)
    expected, found = (voltages(c, **options) for c in (cell, again))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_blends_survive(mesh, tmp_path):
    cell = na.parameters.load("nmc811_chen2020")
    other = na.parameters.load("nmc111_aboutenergy").positive.particle
    blend = with_second_material(cell, "positive", other, 0.3)
    # Walls are an expression of ours; without them both potentials are tables or text.
    plain = eqx.tree_at(
        lambda c: (c.positive.particle.ocp, c.positive.others[0].particle.ocp),
        blend,
        (cell.positive.particle.ocp, other.ocp),
    )
    file = tmp_path / "blend.json"
    write_bpx(file, plain)
    again = read_bpx(file)
    assert len(again.positive.others) == 1
    # The same numbers but for rounding, which moves the steps a little.
    options = dict(model=na.DFN(mesh), rtol=1e-5)
    expected, found = (voltages(c, **options) for c in (plain, again))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_lists_all_that_would_be_lost(cell, tmp_path):
    file = tmp_path / "cell.json"
    rich = with_plating(with_hysteresis(cell))
    with pytest.raises(ValueError) as error:
        write_bpx(file, rich)
    for lost in (
        "contact_resistance",
        "thermodynamic_factor",
        "conductivity's law in temperature (VTF)",
        "negative.plating",
    ):
        assert lost in str(error.value)
    assert not file.exists()
    nvpf = na.parameters.load("nvpf_hc_chayambuka2022")
    with pytest.raises(ValueError, match="rate_constant \\(depends on composition"):
        write_bpx(file, nvpf)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict:
    """The data of a right file."""
    file = tmp_path_factory.mktemp("bpx") / "plain.json"
    write_bpx(file, na.parameters.load("lfp_aboutenergy"))
    return json.loads(file.read_text())


@pytest.fixture
def read(plain, tmp_path):
    """Reads the right file after an edit of its sections."""

    def edited(edit=None, **options):
        data = copy.deepcopy(plain)
        if edit is not None:
            edit(data["Parameterisation"], data)
        return read_raw(tmp_path, json.dumps(data).encode(), **options)

    return edited


def read_raw(tmp_path, raw: bytes, name: str = "file.json"):
    file = tmp_path / name
    file.write_bytes(raw)
    return read_bpx(file)


def put(section: str, **entries):
    """An edit that sets entries of a section, such as `OCP` for "OCP [V]"."""
    units = {"OCP": "OCP [V]", "lith": "OCP (lithiation) [V]"}
    units |= {"delith": "OCP (delithiation) [V]", "decay": DECAY, "area": AREA}
    named = {units[k]: v for k, v in entries.items()}
    return lambda p, d: p[section].update(named)


DECAY, AREA = "OCP hysteresis decay constant", "Electrode area [m2]"
POSITIVE = "Positive electrode"
X = [k / 100 for k in range(1, 100)]
U = [3.4 + 0.1 * (0.5 - x) ** 3 for x in X]


def start(T=None, T0=None, soc=None, **branches):
    def edit(p, d):
        initial = d["State"]["Initial conditions"]
        initial |= {f"Initial hysteresis state: {k}": v for k, v in branches.items()}
        if soc is not None:
            initial["Initial state-of-charge"] = soc
        if T0 is not None:
            initial["Initial temperature [K]"] = T0
        if T is not None:
            d["State"]["Thermal environment"]["Ambient temperature [K]"] = T

    return edit


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda p, d: p.pop("Separator"), "Separator: Field required"),
        (lambda p, d: d.pop("Parameterisation"), "has no 'Parameterisation'"),
        (lambda p, d: d.update(State=[1]), "State is a list; expected an object"),
        (lambda p, d: p.update({POSITIVE: [1]}), "Positive electrode is a list"),
        (put("Cell", area=None), r"Electrode area \[m2\]: Input should be a valid n"),
        (put("Cell", area=True), r"Electrode area \[m2\] is true, not a number"),
        (put("Cell", area=10**400), r"Electrode area \[m2\] is too large"),
        (put("Cell", area=float("inf")), r"Electrode area \[m2\] is inf"),
        (put(POSITIVE, lith=3.4), r"OCP \(lithiation\) is there without the other"),
        (put(POSITIVE, OCP={"x": X, "y": [*U[:-1], np.nan]}), r"OCP.*y: 98 is nan"),
        (
            put(POSITIVE, OCP={"x": X, "y": U[1:]}),
            r"OCP \[V\]: y: x & y should be same",
        ),
        (put(POSITIVE, OCP={"x": [0.5], "y": [3.4]}), "OCP: the table has 1 point;"),
        (put(POSITIVE, OCP={"x": [], "y": []}), "OCP: the table has no points;"),
        (
            put(POSITIVE, OCP={"x": [0.0, 0.9, 0.5], "y": [4.0, 3.4, 3.6]}),
            "OCP: A table's points must rise or fall in x: point 3, x = 0.5",
        ),
        (put(POSITIVE, OCP={"x": [0, 0, 1], "y": [3, 2, 1]}), "two values at x = 0"),
        (put(POSITIVE, OCP="1 / (x - x)"), "OCP is '1 / .*not finite"),
        (put(POSITIVE, OCP="exit(1)"), r"OCP \[V\]: 'exit\(1\)' cannot be used"),
        (put(POSITIVE, OCP="9**9**9**9"), "cannot be evaluated"),
        (put(POSITIVE, OCP="(" * 9999 + "x" + ")" * 9999), "cannot be evaluated"),
        (start(T=25.0), r"Ambient temperature \[K\] is 25; expected kelvin"),
        (start(soc=50), "Initial state-of-charge is 50; expected 0 to 1"),
    ],
)
def test_refuses(edit, message, read):
    """Naming the file and the entry."""
    with pytest.raises(ValueError, match=f"(?s)file.json.*{message}"):
        read(edit)


@pytest.mark.parametrize(
    "raw, message",
    [
        (b"", "is not JSON"),
        (b"null", "got a NoneType"),
        (b'"text"', "got a str"),
        (b"{bad", "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"9" * 5000, "limit"),
        (b'{"Header": {}, "Header": {}}', "'Header' is there twice"),
        ('{"Header": {"Title": "25 \u00b0C"}}'.encode("latin-1"), "save it as UTF-8"),
    ],
    ids=range(9),
)
def test_refuses_what_is_not_json(raw, message, tmp_path):
    with pytest.raises(ValueError, match=f"file.json is not a BPX file: .*{message}"):
        read_raw(tmp_path, raw)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_reads_every_unicode(encoding, plain, tmp_path):
    assert read_raw(tmp_path, json.dumps(plain).encode(encoding)) is not None


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="No BPX file"):
        read_bpx(tmp_path / "none.json")


def test_user_defined_entries_are_refused_by_name(read):
    own = {"description": "as in the official example", "Negative electrode gamma": 1.0}
    with pytest.raises(ValueError, match="'Negative electrode gamma'"):
        read(lambda p, d: p.update({"User-defined": own}))
    assert read(lambda p, d: p.update({"User-defined": {"description": "words"}}))


def test_tables_are_put_in_order(read):
    """Falling, or with a point that is there twice: the same table."""
    twice = [*range(8), *range(7, 99)]
    up = read(put(POSITIVE, OCP={"x": X, "y": U})).positive.particle.ocp.curve
    for order in (range(98, -1, -1), twice):
        table = {"x": [X[k] for k in order], "y": [U[k] for k in order]}
        found = read(put(POSITIVE, OCP=table)).positive.particle.ocp.curve
        np.testing.assert_array_equal(found.x, up.x)
        np.testing.assert_array_equal(found.y, up.y)


def test_state_is_the_cells(read):
    """The ambient temperature, with potentials and laws of the reference temperature."""
    warm, cold = read(), read(start(T=273.15, T0=273.15))
    assert float(cold.temperature) == 273.15
    x, T = jnp.linspace(0.1, 0.9, 9), jnp.asarray(273.15)
    for side in ("negative", "positive"):
        was, now = (getattr(c, side).particle for c in (warm, cold))
        moved = was.ocp(x, T) - 25.0 * was.dudt(x, T)
        assert float(jnp.max(jnp.abs(moved - was.ocp(x, T)))) > 1e-4
        np.testing.assert_allclose(now.ocp(x, T), moved, rtol=1e-12)
        np.testing.assert_array_equal(now.diffusivity(x, T), was.diffusivity(x, T))
    with pytest.warns(na.Caution, match="initial temperature of 310 K is not used"):
        assert float(read(start(T0=310.0)).temperature) == 298.15


def test_initial_state_of_charge(read):
    """The start that the file says, with the sodium of the charged state."""
    full, half = read(start(soc=1)), read(start(soc=0.5))
    Q_n, Q_p = electrode_capacities(full)
    content = [
        float(c.published.negative * Q_n + c.published.positive * Q_p)
        for c in (full, half)
    ]
    assert content[1] == pytest.approx(content[0], rel=1e-12)
    sto = na.parameters.stoichiometry_at_soc(half, 0.5)
    # The shipped set's charged state is 1e-5 below its upper voltage.
    assert float(half.published.negative) == pytest.approx(
        float(sto.negative), abs=1e-4
    )
    assert float(half.published.positive) == pytest.approx(
        float(sto.positive), abs=1e-4
    )


def test_a_file_without_state(read):
    with pytest.warns(na.Caution, match="taken as 1000 mol.m-3"):
        cell = read(lambda p, d: d.pop("State"))
    assert float(cell.electrolyte.concentration) == 1000.0
    assert float(cell.temperature) == 298.15


def test_older_files_keep_their_state(read):
    def old(p, d):
        d["Header"]["BPX"] = 0.1
        d["State"]["Initial conditions"]["Initial state-of-charge"] = 0.5
        name = "Initial electrolyte concentration [mol.m-3]"
        d["State"]["Initial conditions"][name] = 1200.0

    with pytest.warns(na.Caution, match="BPX 0.1 .*before 0.3"):
        cell = read(old)
    assert float(cell.electrolyte.concentration) == 1200.0
    assert float(cell.published.negative) < float(read().published.negative) - 0.1


def test_voltages_far_outside_of_the_limits(read):
    with pytest.warns(na.Caution, match="charged state has an open-circuit voltage of"):
        read(put("Negative electrode", OCP=0))


def test_a_count_below_zero_is_said_and_not_that_of_a_mesh(read):
    pairs = "Number of electrode pairs connected in parallel to make a cell"
    with pytest.raises(ValueError, match="area = -.* m2: expected more than 0"):
        read(lambda p, d: p["Cell"].update({pairs: -1}))


def test_a_cell_that_cannot_be_is_not_written(cell, tmp_path):
    wrong = eqx.tree_at(lambda c: c.area, cell, jnp.asarray(-1.0))
    for write in (write_bpx, na.io.write_cell):
        with pytest.raises(ValueError, match="area = -1 m2"):
            write(tmp_path / "x.json", wrong)
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("kind", ["tables", "texts", "both"])
def test_branches_in_and_out(kind, read, tmp_path):
    """U(h) = (1+h)/2 U_delith + (1-h)/2 U_lith; gamma is half of the decay constant."""
    down = {"x": X, "y": U} if kind != "texts" else "3.45 - 0.1 * x"
    up = {"x": X, "y": [u + 0.03 * x for u, x in zip(U, X, strict=True)]}
    up = up if kind == "tables" else "3.5 - 0.1 * x"
    usual = "3.47 - 0.1 * x"

    def edit(p, d):
        put(POSITIVE, OCP=usual, lith=down, delith=up, decay=8.0)(p, d)
        start(T=283.15, T0=283.15, **{POSITIVE: -1.0})(p, d)

    with warnings.catch_warnings():
        # That the mean of these branches is not the file's OCP is said elsewhere.
        warnings.simplefilter("ignore", na.Caution)
        cell = read(edit)
        branches = [read(put(POSITIVE, OCP=u)).positive.particle for u in (down, up)]
    p, T = cell.positive.particle, jnp.asarray(283.15)
    h = p.hysteresis
    assert h is not None
    assert (float(h.decay), float(h.initial)) == (4.0, -1.0)
    # x where a table is not continued, and with the entropy of 15 K.
    x = jnp.linspace(0.02, 0.98, 50)
    for sign, branch in zip((-1.0, 1.0), branches, strict=True):
        expected = branch.ocp(x, T) - 15.0 * p.dudt(x, T)
        found = p.ocp(x, T) + sign * h.half_width(x, T)
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    one_c = cell.nominal_capacity / (
        cell.area * cell.positive.thickness * cell.positive.interface
    )
    assert float(h.threshold) == pytest.approx(0.01 * float(one_c), rel=1e-12)

    again = tmp_path / "again.json"
    write_bpx(again, cell)
    assert json.loads(again.read_text())["Parameterisation"][POSITIVE][DECAY] == 8.0
    p = read_bpx(again).positive.particle
    again = p.hysteresis
    assert again is not None
    assert (float(again.decay), float(again.initial)) == (4.0, -1.0)
    np.testing.assert_allclose(
        p.ocp(x, T), cell.positive.particle.ocp(x, T), rtol=1e-12
    )
    width = again.half_width(x, T)
    np.testing.assert_allclose(width, h.half_width(x, T), atol=1e-12)


def test_expressions():
    curve = Expression("1e-3 * x ** 2 - exp(-x / 2.0) + tanh(+x)")
    x = jnp.linspace(0.0, 2.0, 5)
    np.testing.assert_allclose(curve(x), 1e-3 * x**2 - jnp.exp(-x / 2) + jnp.tanh(x))
    for text, message in (
        ("1 +", "not an expression"),
        ("y + 1", "cannot be used"),
        ("__import__('os')", "cannot be used"),
        ("x.real", "cannot be used"),
    ):
        with pytest.raises(ValueError, match=message):
            Expression(text)
