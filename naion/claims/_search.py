"""Designs that are best in one respect and good enough in others, by exact gradients."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from ..batch import run
from ._audit import Asked
from ._claims import Reading
from ._product import Product
from ._runs import FINE


@dataclass(frozen=True)
class Found:
    """A design that a search ended at.

    Attributes:
        x: the product's vector.
        values: what was varied, in the units of designs, by name.
        objective: the quantity that was maximised, as the search saw it.
        margins: of all requirements then; none is below zero where `meets`.
        confirmed: the objective, then the required quantities, simulated again on the
            default mesh at a tight tolerance.
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

    Each search starts where the one before ended. Its coarse mesh errs: all ends are
    simulated again as one batch, on the default mesh at a tight tolerance, every search is
    repeated with its quantities moved by the difference, and confirmed in the same way.

    Args:
        product, objective, subject_to, vary, most_iterations: as in `best_design`.
        bounds: in the order of the front; none: the one that the reading has.
    """
    names = [n.name for n in product.numbers]
    if missing := sorted(set(vary) - {i.name for i in product.inputs}):
        free = ", ".join(i.name for i in product.inputs)
        raise ValueError(f"Cannot vary {', '.join(missing)}; what can be is: {free}.")
    at = np.array([names.index(name) for name in vary])
    median, (low, high) = product.median, product.reach
    asked = [_Quantities(r, product, median, at) for r in (objective, *subject_to)]
    first = subject_to[0].requirements[0].bound
    all_bounds = [first] if bounds is None else bounds
    every = [_Required(asked[1:], bound) for bound in all_bounds]

    def searched(v: np.ndarray):
        ends = []
        for required in every:
            done = _optimise(asked[0], required, v, low[at], high[at], most_iterations)
            v = done[0]
            ends.append(done)
        x = np.stack([_placed(median, at, v) for v, _ in ends])
        return ends, x, np.concatenate([q.confirmed(x) for q in asked], axis=1)

    ends, _, confirmed = searched(np.zeros(len(at)))
    for k, required in enumerate(every):
        required.move(ends[k][0], confirmed[k, 1:])
    ends, x, confirmed = searched(ends[0][0])
    found = []
    for k, (required, (v, message)) in enumerate(zip(every, ends, strict=True)):
        vector, sure = x[k], confirmed[k]
        margins = required.margins_of(sure[1:])
        found.append(
            Found(
                vector,
                {
                    n: float(product.inputs[_input(product, n)].at(u))
                    for n, u in zip(vary, v, strict=True)
                },
                float(asked[0].at(v)[0]),
                required.margins(v),
                sure,
                bool(np.all(margins >= -SLACK * required.scale)),
                message,
            )
        )
    return tuple(found)


def _input(product: Product, name: str) -> int:
    return [i.name for i in product.inputs].index(name)


def _placed(median: np.ndarray, at: np.ndarray, v: np.ndarray) -> np.ndarray:
    x = median.copy()
    x[at] = v
    return x


class _Quantities:
    """Required quantities of a reading as functions of what is varied."""

    def __init__(
        self, reading: Reading, product: Product, median: np.ndarray, at: np.ndarray
    ):
        self.reading, self.product, self.median, self.where = (
            reading,
            product,
            median,
            at,
        )
        self.asked = Asked(reading, (product,))
        self.numbers = {k: jnp.asarray(v) for k, v in reading.numbers.items()}
        self.which = [r.quantity for r in reading.requirements]
        self.signs = np.array([r.sign for r in reading.requirements])
        self.bounds = np.array([r.bound for r in reading.requirements])

    def at(self, v: np.ndarray) -> np.ndarray:
        x = _placed(self.median, self.where, v)
        return np.asarray(self.asked.one((x, self.numbers)))[self.which]

    def slopes(self, v: np.ndarray) -> np.ndarray:
        x = _placed(self.median, self.where, v)
        J = np.asarray(self.asked.slopes(x, self.numbers))
        return J[self.which][:, self.where]

    def confirmed(self, x: np.ndarray) -> np.ndarray:
        fine = Asked(self.reading, (self.product,), FINE)
        numbers = {k: np.full(len(x), float(n)) for k, n in self.numbers.items()}
        return np.asarray(run(fine.values, (x, numbers)))[:, self.which]


class _Required:
    """All requirements, the bound of the first replaced."""

    def __init__(self, quantities: Sequence[_Quantities], bound: float):
        self.quantities = quantities
        self.signs = np.concatenate([q.signs for q in quantities])
        self.bounds = np.concatenate([q.bounds for q in quantities])
        self.bounds[0] = bound
        self.scale = np.maximum(np.abs(self.bounds), 10.0)
        self.moved = np.zeros(len(self.bounds))

    def move(self, v: np.ndarray, exact: np.ndarray) -> None:
        """From now on what is computed is moved by its error at a point."""
        here = np.concatenate([q.at(v) for q in self.quantities])
        self.moved = np.where(np.isfinite(exact), exact - here, 0.0)

    def margins_of(self, values: np.ndarray) -> np.ndarray:
        return self.signs * (values - self.bounds)

    def margins(self, v: np.ndarray) -> np.ndarray:
        values = np.concatenate([q.at(v) for q in self.quantities])
        return self.margins_of(values + self.moved)

    def slopes(self, v: np.ndarray) -> np.ndarray:
        J = np.concatenate([q.slopes(v) for q in self.quantities])
        return self.signs[:, None] * J


def _optimise(
    objective: _Quantities, required: _Required, v, low, high, most: int
) -> tuple[np.ndarray, str]:
    from scipy import optimize

    size = max(abs(float(objective.at(v)[0])), 1e-9)
    done = optimize.minimize(
        lambda v: -float(objective.at(v)[0]) / size,
        v,
        jac=lambda v: -objective.slopes(v)[0] / size,
        bounds=np.stack([low, high], axis=1),
        constraints={
            "type": "ineq",
            "fun": lambda v: required.margins(v) / required.scale,
            "jac": lambda v: required.slopes(v) / required.scale[:, None],
        },
        method="SLSQP",
        options={"maxiter": most, "ftol": 1e-5},
    )
    return np.clip(done.x, low, high), str(done.message)
