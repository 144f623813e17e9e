"""The library, called from Python: steps, protocols, tables, cells, options, results."""

import datetime
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import naion as na
from naion.fit import FreeParameter, Part, Problem, Specimen
from naion.parameters import Stoichiometry, load, stoichiometry_at_voltage
from naion.properties import Table

from . import tables
from .good import SET, short, solution, tiny
from .judge import Case


def _sim(
    protocol: Any = "Discharge at 1C for 20 s", cell: Any = None, **options: Any
) -> Any:
    cell = load(SET) if cell is None else cell
    options = {"model": tiny(), **options}
    return na.simulate(cell, protocol, **options)


def _step(**fields: Any) -> Any:
    return na.Step(
        **({"mode": na.Mode.CURRENT, "value": 1.5, "duration": 60.0} | fields)
    )


def _moved(where: Callable[[Any], Any], value: Any) -> Any:
    return _sim(cell=eqx.tree_at(where, load(SET), value))


def _loaded(content: bytes) -> Any:
    Path("s.npz").write_bytes(content)
    return na.Solution.load("s.npz")


@functools.cache
def _words() -> dict[str, Any]:
    """What the code of the corpus may name."""
    a, b = load(SET), load("nvpf_hc_chayambuka2022")
    return {
        **{"sim": _sim, "step": _step, "moved": _moved, "loaded": _loaded},
        **{"a": a, "b": b, "one": na.batch.stack([a, a]), "s": short()},
        **{"whole": solution(), "path": ("cell.contact_resistance.scale",)},
        **{
            "SET": SET,
            "na": na,
            "eqx": eqx,
            "np": np,
            "jnp": jnp,
            "math": math,
            "Path": Path,
            "load": load,
        },
        **{
            "tiny": tiny,
            "datetime": datetime,
            "FreeParameter": FreeParameter,
            "Part": Part,
        },
        **{"Problem": Problem, "Specimen": Specimen, "Stoichiometry": Stoichiometry},
        **{"Table": Table, "stoichiometry_at_voltage": stoichiometry_at_voltage},
    }


def _called(code: str) -> Callable[[], Any]:
    compiled = compile(code, "corpus/library.txt", "eval")
    return lambda: eval(compiled, dict(_words()))


def _values() -> list[Case]:
    """What is done, and its right value or caution."""

    def cold() -> na.Solution:
        return na.simulate(
            load("nvpf_hc_chayambuka2022"),
            "Discharge at C/5 for 20 s",
            model=tiny(),
            temperature=253.15,
        )

    return [
        Case(
            "library: tables",
            "a falling table is turned",
            lambda: _table([1.0, 0.5, 0.0], [0.2, 0.5, 1.0]),
            answer="done",
            right=lambda y: y == _table([0.0, 0.5, 1.0], [1.0, 0.5, 0.2]),
        ),
        Case(
            "library: results",
            "before the beginning",
            lambda: np.asarray(short().at(-60.0)),
            answer="done",
            right=lambda y: bool(np.all(np.isnan(y))),
        ),
        Case(
            "library: results",
            "after the end",
            lambda: np.asarray(short().at(1e6)),
            answer="done",
            right=lambda y: bool(np.all(np.isnan(y))),
        ),
        Case(
            "library: results",
            "a row that was not reached",
            lambda: float(short().began(7)),
            answer="done",
            right=math.isnan,
        ),
        Case(
            "library: simulate",
            "in the cold without laws",
            cold,
            "rate constant|diffusivit",
            "-20",
            "25",
            answer="caution",
        ),
        Case(
            "library: simulate",
            "cycles as tuples",
            lambda: na.Protocol(
                [("Discharge at 1C until 2.5 V", "Charge at 1C until 4 V")] * 2
            ),
            answer="done",
            right=lambda p: p.cycle.tolist() == [0, 0, 1, 1],
        ),
        Case(
            "library: simulate",
            "a skipped step",
            lambda: _sim(["Charge at 1C until 4.0 V", "Discharge at 1C for 20 s"]),
            answer="done",
            right=lambda s: list(s.skipped) == [0],
        ),
        Case(
            "library: simulate",
            "the cycles of a skipped step",
            lambda: _sim("Charge at 1C until 4.0 V").cycles,
            answer="done",
            right=lambda c: len(c) == 1,
        ),
        Case(
            "library: simulate",
            "a lane that cannot be",
            lambda: _lanes(),
            answer="done",
            right=lambda r: r[0] == "completed" and r[1] == "impossible_number",
        ),
        Case(
            "library: Protocol",
            "two dates",
            lambda: na.Protocol.profile(
                np.array(["2024-01-01T00:00", "2024-01-01T00:01"], "datetime64[m]"),
                [1.0, 1.0],
            ),
            answer="done",
            right=lambda p: float(p.duration[0]) == 60.0,
        ),
    ]


def _table(x: list[float], y: list[float]) -> float:
    return float(Table(np.array(x), np.array(y))(jnp.asarray(0.25)))


def _lanes() -> list[str]:
    cells = na.batch.stack([load(SET)] * 2)
    cells = eqx.tree_at(lambda c: c.area, cells, cells.area * jnp.asarray([1.0, -1.0]))
    done = na.batch.simulate(cells, "Discharge at 1C for 20 s", model=tiny())
    return [r.name.lower() for r in done.results]


def cases() -> list[Case]:
    """All of the library's cases."""
    assert jax.config.read("jax_enable_x64")
    found = [
        Case(f"library: {door}", title, _called(code), place, given, expected)
        for door, (title, code, place, given, expected) in tables.rows("library.txt")
    ]
    return [*found, *_values()]
