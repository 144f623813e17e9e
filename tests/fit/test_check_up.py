"""Check-ups find what a cell was made to lose, within what they say they know."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest

import naion as na
from naion.fit import Problem, Specimen, check_up, discharge, pulse
from naion.fit._check_up import _materials
from naion.parameters import electrode_capacities, leaf

MODEL = na.DFN(na.Mesh(4, 3, 4, 10))
NOISE = 1e-3
TIMES = np.array([0.1, 1.0, 10.0])
PULSES = (1.5, 0.3), (6.0, 0.9)
"""Current [A], and charge that has flowed [A.h]: charge transfer depends on both."""

LOST = {
    "sodium inventory": 4.0,
    "negative active material": 2.0,
    "positive active material": 5.0,
}
GROWN = 30.0


def worn(cell):
    """The cell after losses that are known."""
    sodium, negative, positive = (1.0 - LOST[k] / 100.0 for k in LOST)
    aged = eqx.tree_at(
        lambda c: (
            c.negative.active_fraction,
            c.positive.active_fraction,
            c.contact_resistance.scale,
        ),
        cell,
        (
            cell.negative.active_fraction * negative,
            cell.positive.active_fraction * positive,
            cell.contact_resistance.scale * (1.0 + GROWN / 100.0),
        ),
    )
    (Q_n, Q_p), x = electrode_capacities(cell), cell.published
    left = sodium * (x.negative * Q_n + x.positive * Q_p)
    Q_n, Q_p = electrode_capacities(aged)
    rest = (left - x.negative * Q_n) / Q_p
    return eqx.tree_at(lambda c: c.published.positive, aged, rest)


def measured(cell, rng):
    """A discharge at C/10 and two pulses of the cell, with noise."""
    current = 0.15
    q = np.linspace(0.03, 1.25, 40)
    tests = [
        discharge("C/10", q, 3.0 - q, current, 298.15, sigma=NOISE, sigma_charge=0.0),
        *(pulse(f"{I} A", I, TIMES, np.ones(len(TIMES)), 298.15, Q) for I, Q in PULSES),
    ]
    blank = Problem(Specimen(cell, [0.0]), RESISTANCE, tuple(tests), MODEL, 1e-5)
    found = []
    currents = (np.inf, *(I for I, _ in PULSES))
    values = blank.predictions(blank.start)
    for e, value, I in zip(tests, values, currents, strict=True):
        (o,) = e.observations
        assert np.all(np.isfinite(value))
        # A resistance is the difference of two voltages over the current.
        sd = NOISE if e is tests[0] else np.sqrt(2.0) * NOISE / I
        value = value + sd * rng.standard_normal(value.shape)
        new = dataclasses.replace(o, value=value, sigma=np.full(value.shape, sd))
        found.append(dataclasses.replace(e, observations=(new,)))
    return found


RESISTANCE = (
    na.fit.FreeParameter(("cell.contact_resistance.scale",), (0.1, 30.0), "log"),
)


@pytest.fixture(scope="module")
def found(cell):
    rng = np.random.default_rng(0)
    tests = {"new": measured(cell, rng), "worn": measured(worn(cell), rng)}
    return check_up(cell, tests, model=MODEL)


def away(change, truth):
    """Distance of the truth from the best value, in standard deviations on its side."""
    end = change.high if truth > change.percent else change.low
    return 1.645 * abs((truth - change.percent) / (end - change.percent))


def test_losses_are_those_that_made_the_data(found):
    """Within three standard deviations, and the intervals are narrow enough to be of use."""
    truth = {f"loss of {k}": v for k, v in LOST.items()}
    truth["growth of contact resistance"] = GROWN
    changes = {c.what: c for c in found.changes["worn"]}
    for what, value in truth.items():
        c = changes[what]
        assert c.low < c.percent < c.high
        assert away(c, value) < 3.0, c
    for what in truth:
        assert changes[what].low > 0.0, "it could not be told from none"


def test_a_fresh_cell_has_lost_nothing(found):
    for c in found.changes["new"]:
        assert away(c, 0.0) < 3.0, c


def test_derived_changes_are_those_of_the_cell(found, cell):
    """Capacity and the resistance of a pulse against simulations of the worn cell."""
    changes = {c.what: c for c in found.changes["worn"]}
    for what, sign, of in (
        ("loss of capacity at rest", -1.0, _capacity),
        ("growth of resistance after 10 s", 1.0, _resistance),
    ):
        truth = 100.0 * sign * (of(worn(cell)) / of(cell) - 1.0)
        assert truth > 1.0
        assert away(changes[what], truth) < 3.0


def _capacity(cell):
    empty, full = na.parameters.stoichiometries_at_limits(cell)
    return electrode_capacities(cell)[0] * (full.negative - empty.negative)


def _resistance(cell):
    C = float(cell.nominal_capacity)
    asked = pulse("10 s", C, 10.0, 1.0, 298.15, 0.5 * C)
    problem = Problem(Specimen(cell, [0.0]), RESISTANCE, (asked,), MODEL, 1e-5)
    return problem.predictions(problem.start)[0][0]


def test_shown(found):
    text = str(found)
    assert text.startswith("% of the fresh cell, with 90 % intervals\nnew: ")
    assert "loss of sodium inventory" in text and "growth of contact" in text
    assert "no sense" not in text and "not determined" not in text
    frame = found.to_frame()
    rows = sum(len(c) for c in found.changes.values())
    assert len(frame) == rows and set(frame["check-up"]) == {"new", "worn"}
    assert np.all(frame["low [%]"] < frame["high [%]"])


def test_what_is_not_known_is_not_shown_as_a_number(found):
    open_ended = dataclasses.replace(found.changes["worn"][0], high=1e40)
    changed = dataclasses.replace(
        found, changes={**found.changes, "new": (open_ended,)}
    )
    assert "capacity at rest  not determined" in str(changed)


def test_every_material_of_a_blend_is_free(cell):
    """And each loss has its name."""
    other = cell.positive.particle
    blend = na.parameters.with_second_material(cell, "positive", other, 0.3)
    assert [*_materials(blend).values()] == [
        "negative active material",
        "positive active material",
        "positive active material 2",
    ]
    for path in _materials(blend):
        assert 0.1 < float(leaf(blend, path)) < 0.9


@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda c, e: ("a cell", {"x": [e]}), TypeError, "expected a Cell"),
        (lambda c, e: (c, {}), ValueError, "no check-up"),
        (lambda c, e: (c, [e]), TypeError, "by the name"),
        (lambda c, e: (c, {"x": ["a.csv"]}), TypeError, "x: a str"),
        (lambda c, e: (c, {"x": []}), ValueError, "x: no voltages"),
        (
            lambda c, e: (c, {"x": [pulse("p", 1.0, 10.0, 0.05, 298.15, 0.3)]}),
            ValueError,
            "no voltages",
        ),
        (lambda c, e: (c, {"x": e}), ValueError, "3 measured numbers for 4"),
        (
            lambda c, e: (c.with_(contact_resistance=0.0), {"x": e}),
            ValueError,
            "no contact resistance",
        ),
    ],
)
def test_refuses(cell, change, error, message):
    short = discharge("C/10", [0.1, 0.2, 0.3], [3.9, 3.8, 3.7], 0.15, 298.15)
    with pytest.raises(error, match=message):
        check_up(*change(cell, short))


def test_refuses_levels_in_per_cent(cell):
    with pytest.raises(ValueError, match="expected a share"):
        check_up(cell, {}, level=90.0)
