"""The cells of a pack by chemistry, in one flat state with what their wires add to it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..models import Equations
from ._cell_system import CellSystem
from ._network import Wires
from ._pack import Wiring

ByChemistry = Sequence[Any]
"""Of every chemistry a pytree of arrays with its cells along their first axis."""


class Tail(NamedTuple):
    """Entries of the flat state after those of the cells.

    Attributes:
        wires: see `Wires`.
        charge: through the pack since the start [C].
        mark: `charge` when the step began [C].
        energy: that the pack gave since the start [J].
    """

    wires: Wires
    charge: Array
    mark: Array
    energy: Array


class Members(eqx.Module):
    """Cells of one structure for each chemistry, and where they are in the wires.

    Attributes:
        equations: of every chemistry.
        wiring: see `Wiring`.
    """

    equations: tuple[Equations, ...]
    wiring: Wiring

    @property
    def kinds(self) -> tuple[CellSystem, ...]:
        """What one cell of each chemistry is."""
        return tuple(CellSystem(own) for own in self.equations)

    @property
    def mass(self) -> np.ndarray:
        """Diagonal of the mass matrix of the flat state; see `AbstractSystem`."""
        w = self.wiring
        cells = [np.tile(k.mass, n) for k, n in zip(self.kinds, w.counts, strict=True)]
        return np.concatenate(
            [*cells, np.zeros(w.n_groups + w.n_strings + 2), np.ones(3)]
        )

    def map(self, function: Callable, *given: ByChemistry) -> list[Any]:
        """`function(kind, ...)` of every cell, one after the other, by chemistry.

        So what a cell needs stays near; all cells at once would spill every cache.
        """
        return [
            jax.lax.map(lambda x, kind=kind: function(kind, *x), own)
            for kind, *own in zip(self.kinds, *given, strict=True)
        ]

    def by_chemistry(self, of_cells: Array) -> list[Array]:
        """Values of all cells (n, ...), cut up."""
        return jnp.split(of_cells, np.cumsum(self.wiring.counts)[:-1])

    def split(self, y: Array) -> tuple[tuple[Array, ...], Tail]:
        """The flat state: cells (n, size) of each chemistry, and the rest."""
        w, sizes = self.wiring, [k.equations.layout.size for k in self.kinds]
        lengths = [n * size for n, size in zip(w.counts, sizes, strict=True)]
        ends = np.cumsum([*lengths, w.n_groups, w.n_strings])
        *cells, groups, strings, rest = jnp.split(y, ends)
        rows = (c.reshape(-1, size) for c, size in zip(cells, sizes, strict=True))
        return tuple(rows), Tail(Wires(groups, strings, rest[0], rest[1]), *rest[2:])

    def join(self, cells: ByChemistry, tail: Tail) -> Array:
        """The flat state from its parts."""
        w = tail.wires
        last = jnp.stack([w.voltage, w.current, tail.charge, tail.mark, tail.energy])
        return jnp.concatenate([*(c.ravel() for c in cells), w.groups, w.strings, last])

    def currents(self, cells: ByChemistry) -> Array:
        """Currents of all cells, (n,) [A]."""
        return self.entries("current_at", cells)

    def temperatures(self, cells: ByChemistry) -> Array:
        """Temperatures of all cells that have one of their own, (n,) [K]."""
        return self.entries("temperature_at", cells)

    def entries(self, where: str, cells: ByChemistry) -> Array:
        """The entry of every cell's flat state at a place of its layout, (n,)."""
        pairs = zip(self.kinds, cells, strict=True)
        return jnp.concatenate(
            [y[:, getattr(kind.equations.layout, where)] for kind, y in pairs]
        )
