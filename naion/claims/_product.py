"""What a claim is about: a design, its materials, and all that is uncertain in both."""

from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..design import Blueprint, Design
from ..fit import Subject
from ..fit._errors import inverse_of
from ..fit._free import leaf, set_vector, sizes
from ..parameters import TWO_SD, Cell, Sourced
from ..predict import Uncertainty
from ..predict._ensemble import draws, root_of

NO_LEVERS = (".ocp.", ".hysteresis.")
"""Parts of names of fitted numbers that nobody can choose: corrections of measured curves,
which carry the errors of the fit."""

MOST = 3.0
"""How far a fitted number may be moved to make a claim true [standard deviations]."""


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
    the variations and of the design's inputs from their medians.

    Attributes:
        name: of the product.
        cell: the materials.
        known: what a fit, or a set's ranges, say of them.
        fitted: whether `known` is from a fit.
        variations: how the product's materials may differ from these.
        blueprint: the design; none: the cell as it is.
        temperatures: which data of the materials cover, lowest and highest [degC].
    """

    name: str
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
        z, sd = self.known.z, np.sqrt(np.diag(self.known.covariance))
        found, start = [], 0
        for f, n in zip(self.known.free, self._sizes, strict=True):
            own = slice(start, start + n)
            start += n
            believed = np.stack(
                [z[own], z[own] - 2.0 * sd[own], z[own] + 2.0 * sd[own]]
            )
            word = "lognormal" if f.transform == "log" else "normal"
            for value, low, high in np.asarray(f.backward(believed)).T:
                ends = float(low), float(high)
                found.append(
                    Sourced(
                        f.name,
                        float(value),
                        "",
                        quality,
                        source,
                        ends,
                        TWO_SD,
                        distribution=word,
                    )
                )
        return (*found, *self.inputs)

    @property
    def _sizes(self) -> list[int]:
        """How many entries each fitted or assumed number of the materials has."""
        return sizes(self.known.free, Subject(self.cell, [0.0]))

    @property
    def inputs(self) -> tuple[Sourced, ...]:
        """Variations and uncertain inputs of the design, in the order of the vector."""
        of_design = () if self.blueprint is None else self.blueprint.uncertain
        return (*(v.input for v in self.variations), *of_design)

    @property
    def median(self) -> np.ndarray:
        """The vector of the best fit and of all medians."""
        return np.append(self.known.z, np.zeros(len(self.inputs)))

    @property
    def root(self) -> np.ndarray:
        """From independent standard deviations to the vector's distance from the median."""
        n, m = len(self.known.z), len(self.inputs)
        root = np.eye(n + m)
        root[:n, :n] = root_of(self.known.covariance)
        return root

    @property
    def levers(self) -> np.ndarray:
        """As `root`, of changes that leave `NO_LEVERS` as they are.

        The columns span the covariance of all other numbers, given these.
        """
        n, m = len(self.known.z), len(self.inputs)
        names = [number.name for number in self.numbers[:n]]
        free = [k for k, s in enumerate(names) if not any(w in s for w in NO_LEVERS)]
        root = np.eye(n + m)
        root[:n, :n] = 0.0
        precision = inverse_of(self.known.covariance)[np.ix_(free, free)]
        root[np.ix_(free, free)] = root_of(inverse_of(precision))
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
        z = jnp.clip(x[:n], *self.known.bounds(self.cell))
        cell = set_vector(self.known.free, Subject(self.cell, [0.0]), z).cell
        for v, u in zip(self.variations, x[n : n + k], strict=True):
            factor = v.input.at(u)
            for path in v.paths:
                cell = eqx.tree_at(
                    lambda c, path=path: leaf(c, path), cell, leaf(cell, path) * factor
                )
        if self.blueprint is None:
            return Made(cell, None)
        names = [i.name for i in self.blueprint.uncertain]
        design = self.blueprint.drawn(dict(zip(names, x[n + k :], strict=True)))
        return Made(design.build(cell), design)

    def in_words(self, x: np.ndarray) -> dict[str, str]:
        """Every number's change from the median to a vector, by name."""
        text, start = {}, 0
        n = len(self.known.z)
        x = np.append(np.clip(x[:n], *self.known.bounds(self.cell)), x[n:])
        for f, n in zip(self.known.free, self._sizes, strict=True):
            before, after = (
                np.asarray(f.backward(jnp.asarray(z[start : start + n])))
                for z in (self.median, x)
            )
            start += n
            if n > 1:
                moved = np.mean(
                    after / before if f.transform == "log" else after - before
                )
                how = "x" if f.transform == "log" else "by"
                text[f.name] = f"curve {how} {moved:.3g}"
            else:
                text[f.name] = f"{before[0]:.4g} to {after[0]:.4g}"
        for i, u in zip(self.inputs, x[start:], strict=True):
            unit = "" if i.unit == "-" else f" {i.unit}"
            text[i.name] = f"{i.value:.4g} to {float(i.at(u)):.4g}{unit}"
        return text
