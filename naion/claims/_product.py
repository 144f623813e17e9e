"""What a claim is about: a design, its materials, and all that is uncertain in both."""

from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..design import Blueprint, Design
from ..fit import UNSEEN_ENERGY, Uncertainty, beyond_tests, draws
from ..parameters import TWO_SD, Cell, Role, Sourced, leaf

NO_LEVERS = Role.OPEN_CIRCUIT_POTENTIAL, Role.HYSTERESIS
"""Fitted numbers that nobody can choose: corrections of measured curves, which carry the
errors of the fit."""

MOST = 3.0
"""How far a fitted number may be moved to make a claim true [standard deviations]."""


UNSEEN = Sourced(
    "activation energy beyond the tests",
    0.0,
    "J/mol",
    "A",
    "what limits a cell where nobody tested it has an energy that is known as that of a "
    "single process before any fit",
    (-2.0 * UNSEEN_ENERGY, 2.0 * UNSEEN_ENERGY),
    TWO_SD,
    distribution="normal",
)
"""Added to the fitted activation energies beyond the temperatures of the fit's tests."""


@dataclass(frozen=True)
class Variation:
    """A factor on numbers of the materials, because the product has others.

    Attributes:
        input: the factor; its median is what is expected.
        paths: of the cell's numbers that it multiplies.
    """

    input: Sourced
    paths: tuple[str, ...]


class Made(NamedTuple):
    """A product with all its numbers: what questions are asked of."""

    cell: Cell
    design: Design | None


@dataclass(frozen=True)
class Product:
    """A cell, maybe in another design, with what is uncertain.

    Its vector is: the transformed values of what was fitted, then standard deviations of
    the variations, of the design's inputs and of `UNSEEN`, for fitted materials, from their
    medians.

    Attributes:
        name: of the product.
        materials: a set, a cell.json or "fitted", as its file says.
        cell: the materials.
        known: what a fit, or a set's ranges, say of them.
        fitted: whether `known` is from a fit.
        variations: how the product's materials may differ from these.
        blueprint: the design; none: the cell as it is.
        temperatures: which data of the materials cover, lowest and highest [degC].
    """

    name: str
    materials: str
    cell: Cell
    known: Uncertainty
    fitted: bool
    variations: tuple[Variation, ...]
    blueprint: Blueprint | None
    temperatures: tuple[float, float]

    @property
    def numbers(self) -> tuple[Sourced, ...]:
        """What is believed of the entries of the vector; those of a curve share a name."""
        quality = "F" if self.fitted else "A"
        source = "the fit" if self.fitted else "range of the parameter set"
        v, z = self.known.vector, self.known.z
        sd = 2.0 * np.sqrt(np.diag(self.known.covariance))
        value, low, high = map(np.asarray, map(v.values, (z, z - sd, z + sd)))
        found = [
            Sourced(
                f.name,
                float(value[k]),
                "",
                quality,
                source,
                (float(low[k]), float(high[k])),
                TWO_SD,
                distribution="lognormal" if f.transform == "log" else "normal",
            )
            for k, f in enumerate(v.owners)
        ]
        return (*found, *self.inputs)

    @property
    def inputs(self) -> tuple[Sourced, ...]:
        """What was not fitted and is uncertain, in the order of the vector."""
        of_design = () if self.blueprint is None else self.blueprint.uncertain
        unseen = (UNSEEN,) if self.known.temperatures else ()
        return (*(v.input for v in self.variations), *of_design, *unseen)

    @property
    def median(self) -> np.ndarray:
        """The vector of the best fit and of all medians."""
        return np.append(self.known.z, np.zeros(len(self.inputs)))

    @property
    def root(self) -> np.ndarray:
        """From independent standard deviations to the vector's distance from the median."""
        n, m = len(self.known.z), len(self.inputs)
        root = np.eye(n + m)
        root[:n, :n] = self.known.root
        return root

    @property
    def levers(self) -> np.ndarray:
        """As `root`, of changes that leave `NO_LEVERS` as they are.

        The columns span the covariance of all other numbers, given these.
        """
        n, m = len(self.known.z), len(self.inputs)
        free = np.flatnonzero(~self.known.vector.has_role(*NO_LEVERS))
        root = np.eye(n + m)
        root[:n, :n] = 0.0
        root[np.ix_(free, free)] = self.known.root_given_rest(free)
        return root

    @property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """How far each independent direction may be moved, within physical bounds."""
        n = len(self.known.z)
        ends = [i.reach for i in self.inputs]
        low, high = np.array(ends).reshape(-1, 2).T
        return np.append(np.full(n, -MOST), low), np.append(np.full(n, MOST), high)

    def drawn(self, n: int, seed: int) -> np.ndarray:
        """Vectors from what is believed, (n, n_x); the first is the median."""
        z = draws(self.cell, self.known, n, seed)
        u = np.random.default_rng(seed + 1).standard_normal((n, len(self.inputs)))
        u[0] = 0.0
        return np.concatenate([z, u], axis=1)

    def made(self, x: Array) -> Made:
        """The product of a vector; differentiable."""
        n, k = len(self.known.z), len(self.variations)
        z = jnp.clip(x[:n], *self.known.vector.bounds)
        cell = self.known.vector.cell(self.cell, z)
        for v, u in zip(self.variations, x[n : n + k], strict=True):
            factor = v.input.at(u)
            for path in v.paths:
                cell = eqx.tree_at(
                    lambda c, path=path: leaf(c, path), cell, leaf(cell, path) * factor
                )
        if tested := self.known.temperatures:
            cell = beyond_tests(cell, tested, UNSEEN.at(x[-1]))
        if self.blueprint is None:
            return Made(cell, None)
        names = [i.name for i in self.blueprint.uncertain]
        own = x[n + k : n + k + len(names)]
        design = self.blueprint.drawn(dict(zip(names, own, strict=True)))
        return Made(design.build(cell), design)

    def in_words(self, x: np.ndarray) -> dict[str, str]:
        """Every number's change from the median to a vector, by name."""
        text, v = {}, self.known.vector
        n = len(v)
        x = np.append(np.clip(x[:n], *v.bounds), x[n:])
        before, after = (np.asarray(v.values(z[:n])) for z in (self.median, x))
        for f, at in zip(v.free, v.slices, strict=True):
            if at.stop - at.start > 1:
                is_log = f.transform == "log"
                ratio, change = after[at] / before[at], after[at] - before[at]
                moved = np.mean(ratio if is_log else change)
                text[f.name] = f"curve {'x' if is_log else 'by'} {moved:.3g}"
            else:
                text[f.name] = f"{before[at][0]:.4g} to {after[at][0]:.4g}"
        for i, u in zip(self.inputs, x[n:], strict=True):
            unit = "" if i.unit == "-" else f" {i.unit}"
            text[i.name] = f"{i.value:.4g} to {float(i.at(u)):.4g}{unit}"
        return text
