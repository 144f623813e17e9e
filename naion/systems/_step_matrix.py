"""Solves with the step matrix of a pack: cells alone, then what couples them.

A factorised cell meets the others at its ports: the row of its control, for the voltage
that it holds, and the row of its temperature where heat goes from cell to cell. With s_p
the solution of the cell for a unit in the row of port p,

    u = A^-1 b + sum_p s_p d_p,

and the drives d_p (minus the change of the voltage; the other cells' heat over the cell's
heat capacity) follow from the wires, see `_network`, and from a dense matrix of the
cells' temperatures.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ..linalg import CondensedFactors
from ..protocol import Control
from ..solvers import Factorised
from ._cell_system import CellSystem
from ._members import ByChemistry, Members, Tail
from ._network import Elimination, Wires, couple, eliminate
from ._pack import Pack


def coupled(
    members: Members,
    cells: ByChemistry,
    shift: Array,
    tau: Array,
    tail: Tail,
    pack: Pack,
    control: Control,
) -> Factorised:
    """Couple factorised cells.

    Args:
        members: of the pack.
        cells: `CondensedFactors` of every chemistry, stacked.
        shift, tau: of the step.
        tail: what the state has after the cells.
        pack: whose wires and heat.
        control: of the pack.
    """
    ports = ("current_at",)
    if pack.exchange is not None:
        ports += ("temperature_at",)

    def unit(kind: CellSystem, factors: CondensedFactors, port: str) -> Array:
        layout = kind.equations.layout
        e = jnp.zeros(layout.size).at[getattr(layout, port)].set(1.0)
        return layout.join(*factors.solve(*layout.split(e)))

    units = [
        members.map(lambda kind, f, port=port: unit(kind, f, port), cells)
        for port in ports
    ]
    answers = [[members.entries(port, s) for s in units] for port in ports]
    e = eliminate(pack, control, tau, tail.wires, answers[0][0])
    heat = None
    if pack.exchange is not None:
        heat = _heat(pack, pack.exchange, e, answers)
    w = tail.wires

    def drives(known: list[Array], b: Tail) -> tuple[list[Array], Tail]:
        """Of all ports, and the rest of the solution, from what cells do alone."""
        dV, of = couple(pack, e, known[0], b.wires)
        found = [-dV]
        if heat is not None:
            q = heat.inverse @ (heat.exchange @ (known[1] - heat.T_V * dV))
            dV, of = couple(pack, e, known[0] + heat.I_T * q, b.wires)
            found = [-dV, q]
        charge = (b.charge + of.current) / shift
        energy = b.energy + w.current * of.voltage + w.voltage * of.current
        return found, Tail(of, charge, b.mark / shift, energy / shift)

    def solve(b: Array) -> Array:
        rows, tail_b = members.split(b)
        x = members.map(_solve, cells, rows)
        found, rest = drives([members.entries(port, x) for port in ports], tail_b)
        for s, d in zip(units, map(members.by_chemistry, found), strict=True):
            x = [x + s * d[:, None] for x, s, d in zip(x, s, d, strict=True)]
        return members.join(x, rest)

    n = members.wiring.n_cells
    zeros = [jnp.zeros(n) for _ in ports], jax.tree.map(jnp.zeros_like, tail)
    drives_transposed = jax.linear_transpose(drives, *zeros)

    def solve_transposed(bar: Array) -> Array:
        rows, tail_bar = members.split(bar)
        drives_bar = [
            jnp.concatenate([jnp.sum(s * r, 1) for s, r in zip(of, rows, strict=True)])
            for of in units
        ]
        known_bar, rest = drives_transposed((drives_bar, tail_bar))
        for port, own in zip(ports, map(members.by_chemistry, known_bar), strict=True):
            rows = [
                r.at[:, getattr(kind.equations.layout, port)].add(bar)
                for kind, r, bar in zip(members.kinds, rows, own, strict=True)
            ]
        return members.join(members.map(_solve_transposed, cells, rows), rest)

    return Factorised(solve, solve_transposed)


def _solve(kind: CellSystem, factors: CondensedFactors, b: Array) -> Array:
    layout = kind.equations.layout
    return layout.join(*factors.solve(*layout.split(b)))


def _solve_transposed(kind: CellSystem, factors: CondensedFactors, b: Array) -> Array:
    layout = kind.equations.layout
    return layout.join(*factors.solve_transposed(*layout.split(b)))


class _Heat(NamedTuple):
    """What couples temperatures: q = X dT, dT = known - T_V dV(q) + T_T q.

    Attributes:
        exchange: X, conductances over heat capacities, (n, n) [s-1].
        inverse: of what q is multiplied by, (n, n).
        T_V, I_T: how temperature answers to voltage, current to heat, (n,).
    """

    exchange: Array
    inverse: Array
    T_V: Array
    I_T: Array


def _heat(
    pack: Pack, exchange: Array, e: Elimination, answers: list[list[Array]]
) -> _Heat:
    """From the `answers` of port p, in the row of that port, to a unit at port q."""
    (_, I_T), (T_V, T_T) = answers
    X = exchange / pack.heat_capacities[:, None]
    n, w, zero = len(I_T), pack.wiring, jnp.zeros(())
    none = Wires(jnp.zeros(w.n_groups), jnp.zeros(w.n_strings), zero, zero)

    def by_heat(q: Array) -> Array:
        dV, _ = couple(pack, e, I_T * q, none)
        return T_T * q - T_V * dV

    D = jax.vmap(by_heat, out_axes=1)(jnp.eye(n))
    return _Heat(X, _inverse(jnp.eye(n) - X @ D), T_V, I_T)


def _inverse(A: Array) -> Array:
    """By elimination without pivots: heat makes its rows dominant in the diagonal."""

    def eliminated(k: Array, A: Array) -> Array:
        pivot = 1.0 / A[k, k]
        row, column = A[k] * pivot, A[:, k]
        rest = A - column[:, None] * row[None, :]
        here = jnp.arange(len(A)) == k
        new = jnp.where(here[:, None], row[None, :], rest)
        by_pivot = jnp.where(here, pivot, -column * pivot)
        return jnp.where(here[None, :], by_pivot[:, None], new)

    return jax.lax.fori_loop(0, len(A), eliminated, A)
