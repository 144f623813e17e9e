"""Designs that are best in one respect and good enough in others, by exact gradients."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..batch import Lanes, Program
from ._audit import Asked, slopes_and_values
from ._claims import Reading
from ._lockstep import Ask, lockstep
from ._product import Product
from ._runs import FINE, USUAL, Setting


@dataclass(frozen=True)
class Found:
    """A design that a search ended at.

    Attributes:
        x: the product's vector.
        values: what was varied, in the units of designs, by name.
        objective: the quantity that was maximised, as the search saw it.
        margins: of all requirements then; none is below zero where `meets`.
        confirmed: the objective, then the required quantities, simulated again on the
            fine mesh at a tight tolerance.
        meets: whether every requirement holds in `confirmed`, to `SLACK`.
        message: of the optimiser.
    """

    x: np.ndarray
    values: dict[str, float]
    objective: float
    margins: np.ndarray
    confirmed: np.ndarray
    meets: bool
    message: str


SLACK = 0.01
"""Of a requirement's number, or of ten where it is smaller, that a confirmed design may miss
it by: 0.1 mV of a margin to plating."""


@takes
def best_design(
    product: Product,
    objective: Reading,
    subject_to: Sequence[Reading],
    vary: Sequence[str],
    *,
    most_iterations: int = 40,
) -> Found:
    """Maximise a quantity over some inputs of a design, within their bounds.

    By sequential least-squares quadratic programming (Kraft, DFVLR-FB 88-28, 1988; scipy)
    with gradients through the design, the balance and the simulations.

    Args:
        product: whose design; everything that is not varied stays at its median.
        objective: the quantity of its first requirement is maximised; its bound is not
            used.
        subject_to: whose requirements must all hold.
        vary: names of inputs with a range.
        most_iterations: of the optimiser.

    Raises:
        ValueError: for an input that the product does not have.
    """
    return pareto(
        product,
        objective,
        subject_to,
        vary,
        bounds=None,
        most_iterations=most_iterations,
    )[0]


@takes
def pareto(
    product: Product,
    objective: Reading,
    subject_to: Sequence[Reading],
    vary: Sequence[str],
    *,
    bounds: Sequence[float] | None,
    most_iterations: int = 40,
) -> tuple[Found, ...]:
    """The best designs for several bounds of the first requirement of `subject_to`.

    One search for each bound, all at once: what they ask next is simulated as one batch.
    The coarse mesh errs: all ends are simulated again on a fine mesh at a tight
    tolerance, every search goes on with its quantities moved by the difference, and its
    end is confirmed in the same way.

    Args:
        product, objective, subject_to, vary, most_iterations: as in `best_design`.
        bounds: in the order of the front; none: the one that the reading has.

    Raises:
        ValueError: for an input that the product does not have, or no bounds.
        RuntimeError: for a search that fails, with the reason.
    """
    names = [n.name for n in product.numbers]
    if missing := sorted(set(vary) - {i.name for i in product.inputs}):
        free = ", ".join(i.name for i in product.inputs)
        raise ValueError(f"Cannot vary {', '.join(missing)}; what can be is: {free}.")
    at = np.array([names.index(name) for name in vary])
    low, high = (end[at] for end in product.reach)
    first = subject_to[0].requirements[0].bound
    asked = [first] if bounds is None else list(bounds)
    if not asked:
        raise ValueError("bounds is empty: a front needs at least one point.")
    readings = (objective, *subject_to)
    coarse = _Quantities(readings, product, at, len(asked), USUAL, slopes=True)
    fine = _Quantities(readings, product, at, len(asked), FINE, slopes=False)
    every = [_Required(readings, bound) for bound in asked]

    def searched(starts: np.ndarray) -> tuple[np.ndarray, list[str]]:
        tasks = {
            str(k): functools.partial(
                _optimise, required, v, low, high, most_iterations
            )
            for k, (required, v) in enumerate(zip(every, starts, strict=True))
        }
        done = lockstep(tasks, coarse.answer, at_once=len(tasks))
        for bound, result in zip(asked, done.values(), strict=True):
            if isinstance(result, Exception):
                raise RuntimeError(f"The search for {bound:g} failed.") from result
        ends, messages = zip(*done.values(), strict=True)
        return np.stack(ends), list(messages)

    ends, _ = searched(np.zeros((len(asked), len(at))))
    here, exact = coarse.values(ends), fine.values(ends)
    for required, own, sure in zip(every, here, exact, strict=True):
        required.moved = np.where(np.isfinite(sure), sure - own, 0.0)
    ends, messages = searched(ends)
    here, exact = coarse.values(ends), fine.values(ends)
    inputs = {i.name: i for i in product.inputs}
    found = []
    for k, required in enumerate(every):
        sure = required.margins(exact[k])
        found.append(
            Found(
                coarse.vector(ends[k]),
                {n: float(inputs[n].at(u)) for n, u in zip(vary, ends[k], strict=True)},
                float(here[k, 0]),
                required.margins(here[k] + required.moved),
                exact[k],
                bool(np.all(sure >= -SLACK * required.scale)),
                messages[k],
            )
        )
    return tuple(found)


class _Quantities:
    """Required quantities of all readings as functions of what is varied.

    Args:
        readings: whose.
        product: that is asked.
        at: entries of its vector that are varied.
        size: points that are asked about at once, at most.
        by: how to simulate.
        slopes: whether they are asked for.
    """

    def __init__(
        self,
        readings: Sequence[Reading],
        product: Product,
        at: np.ndarray,
        size: int,
        by: Setting,
        slopes: bool,
    ):
        self.median, self.at, self.size = product.median, at, size
        functions = [self._function(r, product, by) for r in readings]
        self.slopes = slopes
        self.programs = [
            Program(slopes_and_values(f) if slopes else f) for f in functions
        ]

    def _function(self, reading: Reading, product: Product, by: Setting) -> Callable:
        asked = Asked(reading, (product,), by)
        numbers = {k: jnp.asarray(v) for k, v in reading.numbers.items()}
        which = np.array([r.quantity for r in reading.requirements])

        def of(v: Array) -> Array:
            x = jnp.asarray(self.median).at[self.at].set(v)
            return asked.values((x, numbers))[which]

        return of

    def vector(self, v: np.ndarray) -> np.ndarray:
        """Of the product, all that is not varied at its median."""
        x = self.median.copy()
        x[self.at] = v
        return x

    def answer(self, kind: str, points: list[np.ndarray]) -> list[Any]:
        """Slopes (n, k) and values (n,) at each point, the objective's first.

        Args:
            kind: of the question, of which there is one; see `lockstep`.
            points: at most `size`.
        """
        del kind
        return list(zip(*self._of(points), strict=True))

    def values(self, points: np.ndarray) -> np.ndarray:
        """At all points, (points, n)."""
        found = self._of(list(points))
        return found[1] if self.slopes else found

    def _of(self, points: list[np.ndarray]) -> Any:
        # One size, so that one program is compiled; the last point is repeated.
        rows = np.stack([*points, *points[-1:] * (self.size - len(points))])
        lanes = Lanes.of(rows, shared=[False])
        # Most of the time goes into compiling: all programs at once.
        with ThreadPoolExecutor() as pool:
            parts = list(pool.map(lambda program: program(lanes), self.programs))
        n = len(points)
        return jax.tree.map(lambda *a: np.concatenate(a, axis=1)[:n], *parts)


class _Required:
    """All requirements, the bound of the first replaced.

    Attributes:
        moved: what is added to what the coarse mesh gives, the objective's first.
    """

    def __init__(self, readings: Sequence[Reading], bound: float):
        required = [r for reading in readings[1:] for r in reading.requirements]
        self.objective = len(readings[0].requirements)
        self.signs = np.array([r.sign for r in required])
        self.bounds = np.array([bound, *(r.bound for r in required[1:])])
        self.scale = np.maximum(np.abs(self.bounds), 10.0)
        self.moved = np.zeros(self.objective + len(required))

    def margins(self, values: np.ndarray) -> np.ndarray:
        """Of all quantities."""
        return self.signs * (values[self.objective :] - self.bounds)

    def slopes(self, J: np.ndarray) -> np.ndarray:
        """Of the margins."""
        return self.signs[:, None] * J[self.objective :]


def _optimise(
    required: _Required, v: np.ndarray, low, high, most: int, ask: Ask
) -> tuple[np.ndarray, str]:
    """One search; it asks for slopes and values, of everything together."""
    from scipy import optimize

    @functools.lru_cache(maxsize=4)
    def at(point: bytes) -> tuple[np.ndarray, np.ndarray]:
        return ask("slopes and values", np.frombuffer(point))

    def slopes(v: np.ndarray) -> np.ndarray:
        return at(np.asarray(v, float).tobytes())[0]

    def values(v: np.ndarray) -> np.ndarray:
        return at(np.asarray(v, float).tobytes())[1]

    size = max(abs(float(values(v)[0])), 1e-9)
    done = optimize.minimize(
        lambda v: -float(values(v)[0]) / size,
        v,
        jac=lambda v: -slopes(v)[0] / size,
        bounds=np.stack([low, high], axis=1),
        constraints={
            "type": "ineq",
            "fun": lambda v: (
                required.margins(values(v) + required.moved) / required.scale
            ),
            "jac": lambda v: required.slopes(slopes(v)) / required.scale[:, None],
        },
        method="SLSQP",
        options={"maxiter": most, "ftol": 1e-5},
    )
    return np.clip(done.x, low, high), str(done.message)
