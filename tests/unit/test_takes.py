"""What is no cell, solution or use is refused where it is given, with where to get one."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import naion as na
from naion._takes import takes
from naion.cost import bill
from naion.duty import limits, ready, trip
from naion.fit import identifiability, least_squares
from naion.life import aged_as, cycle, ends_of, naive, of_solution, outlook
from naion.parameters import with_sei


@takes
def stored(
    cells: Mapping[str, na.Solution], to: Path | str, *, names: Sequence[str] = ()
):
    return len(cells), to, names


WRONG = "nfm_hc_18650", None, Path("cell.json"), 3, ["a"]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: type(w).__name__)
@pytest.mark.parametrize(
    ("function", "kind", "rest"),
    [
        *((f, "Cell", ()) for f in (ends_of, limits, ready, with_sei)),
        (aged_as, "Cell", (None,)),
        (cycle, "Cell", ("Rest for 1 h", 2)),
        (of_solution, "Solution", (None,)),
        (outlook, "Use", ()),
        (naive, "Row", ()),
        (trip, "Vehicle", (None, 298.15)),
        (bill, "Design", ()),
        (identifiability, "Fit", ()),
        (least_squares, "Problem", ()),
    ],
)
def test_the_wrong_kind_is_refused(function, kind, rest, wrong):
    name = "None" if wrong is None else type(wrong).__name__
    with pytest.raises(TypeError, match=f"is (a )?{name}: expected a `{kind}`"):
        function(wrong, *rest)


def test_where_to_get_one_is_said(cell):
    said = r"cell='x' is a str: expected a `Cell`, such as `naion.load\(.*read_cell"
    with pytest.raises(TypeError, match=said):
        ends_of("x")
    with pytest.raises(TypeError, match="cell is a list: .* Give them one by one"):
        ends_of([cell])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (([], "a"), "cells is a list: expected names and for each a `Solution`"),
        (({"a": None}, "a"), r"cells\['a'\] is None: expected a `Solution`"),
        (({}, 3), "to=3 is a int: expected a path or a text"),
    ],
)
def test_containers_and_paths(given, said):
    with pytest.raises(TypeError, match=said):
        stored(*given)


def test_what_is_right_passes():
    assert stored({}, Path("a"), names=["b"]) == (0, Path("a"), ["b"])
    assert stored({}, to="a") == (0, "a", ())
    with pytest.raises(TypeError, match="names='b' is a str: expected a list"):
        stored({}, "a", names="b")
    with pytest.raises(
        TypeError, match="missing a required argument|missing 1 required"
    ):
        stored({})


@pytest.mark.parametrize("ask", [na.simulate, na.pack.simulate, na.impedance])
def test_a_state_of_charge_is_a_start(cell, ask):
    """`soc` is the word of files, `initial_soc` PyBaMM's."""
    for word in ("soc", "initial_soc"):
        with pytest.raises(TypeError, match=f"takes no '{word}': use start=0.5"):
            ask(cell, "Rest for 1 min", **{word: 0.5})
