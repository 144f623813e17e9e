"""A sweep of parameters: many simulations of one cell with other numbers."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array

from .._cautions import caution
from .._constants import ZERO_CELSIUS
from .._files import writable_folder
from .._results import Result
from ..batch import lane_of, run, stack
from ..io import write_csv
from ..models import DFN, heat_balance
from ..parameters import Cell, Start, cautions, check, leaf
from ..protocol import Protocol
from ..simulation import beyond_laws, is_unfinished, simulate
from ._run import start_of
from ._said import aloud
from ._sweep_schema import SweepFile, Vary


def simulations(
    asked: SweepFile, file: Path, out: Path, executor: Executor | None = None
) -> int:
    """Simulate every lane, here or on the workers of an executor; see `_sweep`.

    Writes table.csv below `out`, with a row for each lane.

    Returns:
        how many lanes failed.

    Raises:
        ValueError: for a cell, path, step or start that is not possible, saying where.
    """
    cell, _ = asked.read_cell(file)
    for i, v in enumerate(asked.vary):
        if v.path is not None:
            _check_paths(cell, v, f"{file}: vary {i + 1}")
    columns = dict(zip((v.title for v in asked.vary), _points(asked).T, strict=True))
    one = _simulation(asked, cell, start_of(asked.start, cell, f"{file}, start"))
    lanes = _lanes(asked, cell, columns, file)
    writable_folder(out)
    done = run(
        one,
        lanes,
        chunk=asked.chunk,
        folder=out / "finished",
        executor=executor,
        progress=aloud,
    )
    for k in np.flatnonzero(is_unfinished(done["outcome"], lanes["protocol"])):
        if asked.max_steps is None or done["outcome"][k] != Result.STEP_LIMIT:
            alone = one(lane_of(lanes, k))
            for name, value in alone.items():
                done[name][k] = value
    done |= {"outcome": beyond_laws(done["outcome"], _temperatures(lanes))}
    hottest = np.append(done["highest_temperature_degC"] + ZERO_CELSIUS, -np.inf)
    for said in cautions(cell, lanes["temperature"].min(), np.nanmax(hottest)):
        caution(said)
    _say_impossible(done["outcome"], lambda k: _moved(cell, asked, lane_of(lanes, k)))
    results = [Result(int(k)) for k in done.pop("outcome")]
    _write_table(out / "table.csv", columns, results, done)
    counts = Counter(r.name.lower() for r in results)
    print(", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
    print(f"wrote {out / 'table.csv'}")
    return sum(not r.is_physical for r in results)


def _lanes(
    asked: SweepFile, cell: Cell, columns: dict[str, np.ndarray], file: Path
) -> dict[str, Any]:
    """Inputs of all lanes, with the lanes along the first axis.

    Args:
        asked: what the sweep's file says.
        cell: the cell.
        columns: values of each number that varies, by its title, (lanes,).
        file: the sweep's file, for messages.
    """
    n = len(next(iter(columns.values())))
    usual = asked.temperature
    if usual is None:
        usual = float(cell.temperature) - ZERO_CELSIUS
    return {
        "paths": [columns[v.title] for v in asked.vary if v.path is not None],
        "protocol": _protocols(asked.steps, columns, file),
        "temperature": ZERO_CELSIUS + columns.get("temperature", np.full(n, usual)),
        "soc": columns.get("soc", np.zeros(n)),
    }


def _simulation(
    asked: SweepFile, cell: Cell, start: Start
) -> Callable[[dict[str, Any]], dict[str, Array]]:
    """The simulation of one lane, as a function of its inputs.

    Args:
        asked: what the sweep's file says.
        cell: the cell.
        start: where simulations start, unless the state of charge varies.
    """
    model = DFN(asked.read_mesh(), heat_balance(asked.thermal))
    soc_varies = any(v.title == "soc" for v in asked.vary)

    def one(lane: dict[str, Any]) -> dict[str, Array]:
        done = simulate(
            _moved(cell, asked, lane),
            lane["protocol"],
            model=model,
            start=lane["soc"] if soc_varies else start,
            temperature=lane["temperature"],
            rtol=asked.rtol,
            max_steps=asked.max_steps,
            keep="end",
            throw=False,
        )
        return {
            "outcome": done.outcome,
            "capacity_Ah": done.capacity,
            "energy_Wh": done.energy,
            "duration_s": done.t_end,
            "end_voltage_V": done.end.voltage,
            "highest_temperature_degC": done.greatest.temperature - ZERO_CELSIUS,
            "steps": done.n_steps,
        }

    return one


def _moved(cell: Cell, asked: SweepFile, lane: dict[str, Any]) -> Cell:
    """The cell of one lane."""
    by_path = [v for v in asked.vary if v.path is not None]
    for v, value in zip(by_path, lane["paths"], strict=True):
        cell = eqx.tree_at(
            lambda c, v=v: [leaf(c, p) for p in v.moved],
            cell,
            [jnp.asarray(value, float)] * len(v.moved),
        )
    return cell


def _temperatures(lanes: dict[str, Any]) -> np.ndarray:
    """The temperature of every step of every lane [K], (lanes, steps)."""
    own, usual = np.asarray(lanes["protocol"].temperature), lanes["temperature"]
    usual = usual.reshape(usual.shape + (1,) * (own.ndim - 1))
    return np.where(np.isfinite(own), own, usual)


def _say_impossible(outcomes: ArrayLike, cell_of: Callable[[int], Cell]) -> None:
    """Say how many lanes have impossible numbers, and which the first of them has."""
    impossible = np.asarray(outcomes) == Result.IMPOSSIBLE_NUMBER
    lanes = np.flatnonzero(impossible)
    if not lanes.size:
        return
    said = Result.IMPOSSIBLE_NUMBER.explanation
    try:
        check(cell_of(int(lanes[0])))
    except ValueError as error:
        said = str(error)
    caution(
        f"{lanes.size} lane{'s' * (lanes.size > 1)} of {impossible.size} cannot be "
        f"simulated, lane {lanes[0] + 1} because: {said}"
    )


def _write_table(
    path: Path,
    columns: dict[str, np.ndarray],
    results: list[Result],
    done: Mapping[str, Any],
) -> None:
    """Write what varied, the outcome and the results of every lane."""
    given = zip(*columns.values(), strict=True)
    found = zip(*done.values(), strict=True)
    body = [
        [*(f"{x:.9g}" for x in row), r.name.lower(), *(f"{x:.9g}" for x in numbers)]
        for row, r, numbers in zip(given, results, found, strict=True)
    ]
    write_csv(path, [*columns, "outcome", *done], body)


def _points(asked: SweepFile) -> np.ndarray:
    """Values of what varies, one row a lane."""
    if asked.draws is None:
        axes = (
            np.asarray(v.values)
            if v.values
            else _at_share(v, np.linspace(0.0, 1.0, v.count or 1))
            for v in asked.vary
        )
        return np.array(list(itertools.product(*axes)), float)
    from scipy.stats import qmc

    sampler = qmc.LatinHypercube(len(asked.vary), rng=np.random.default_rng(asked.seed))
    shares = sampler.random(asked.draws)
    columns = [_at_share(v, u) for v, u in zip(asked.vary, shares.T, strict=True)]
    return np.stack(columns, axis=1)


def _at_share(v: Vary, share: np.ndarray) -> np.ndarray:
    """Values at shares between 0 and 1 of a range, or of a list of values."""
    if v.range is None:
        values = np.asarray(v.ends)
        return values[np.minimum((share * len(values)).astype(int), len(values) - 1)]
    low, high = v.range
    if v.spacing == "log":
        return np.exp(np.log(low) + share * np.log(high / low))
    return low + share * (high - low)


def _check_paths(cell: Cell, v: Vary, where: str) -> None:
    """Every path is of a single number.

    Raises:
        ValueError: for one that is not.
    """
    for path in v.moved:
        try:
            there = leaf(cell, path)
        except KeyError as error:
            raise ValueError(f"{where}: {error.args[0]}") from None
        if not eqx.is_array_like(there) or np.shape(there) != ():
            raise ValueError(
                f"{where}: {path} is not a single number; a curve varies by its scale, "
                f"as in {path}.scale."
            )


def _protocols(
    steps: list[str], columns: dict[str, np.ndarray], file: Path
) -> Protocol:
    """One protocol a lane; equal ones are read once."""
    n = len(next(iter(columns.values())))
    read: dict[tuple[str, ...], Protocol] = {}
    made = []
    for i in range(n):
        numbers = {name: f"{column[i]:.9g}" for name, column in columns.items()}
        texts = tuple(s.format(**numbers) if "{" in s else s for s in steps)
        if texts not in read:
            try:
                read[texts] = Protocol(list(texts))
            except ValueError as error:
                raise ValueError(f"{file}: protocol: {error}") from None
        made.append(read[texts])
    found = stack(made)
    if "temperature" in columns and np.all(np.isfinite(found.temperature)):
        raise ValueError(
            f"{file}: temperature varies, and every step has one of its own: leave those out."
        )
    return found
