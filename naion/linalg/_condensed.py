r"""Static condensation: eliminate everything local, solve a line, put it back.

The unknowns of a porous-electrode model see little of each other:

- `inner`: a chain (the shells of one particle) for every electrode node; its last entry
  (the surface) meets the node's local unknown and nothing else;
- `local`: a few unknowns for every electrode node, which meet each other, the chain's
  surface and the node; the first (the intercalation current) drives the chain;
- `macro`: m unknowns for every node of a line, which meet the neighbours and, in
  electrodes, the local unknowns;
- a `border` of a few global scalars (current, temperature) that may meet everything,
  and of quadratures (charge, energy), which everything may drive but which drive nothing.

Chains and local unknowns are eliminated exactly, which leaves a block-tridiagonal
system on the line, bordered by the scalars. Cost is linear in the number of unknowns,
and the transpose, which adjoints need, is solved with the same factors.

The line is `n_left` electrode nodes, a middle part without chains, and the rest
electrode nodes: electrode node e sits at line node e or, right of the gap, e + n_gap.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax import Array

from naion_kernels import block_tridiagonal


class Blocks(NamedTuple):
    """A vector, or c vectors side by side, of the unknowns inside the border.

    Attributes:
        inner: (n_r, c, n_e); the last row is the surface.
        local: (l, c, n_e).
        macro: (n_x, m, c).
    """

    inner: Array
    local: Array
    macro: Array


class CondensedMatrix(eqx.Module):
    """The entries of one step matrix A; see the module for the groups.

    Attributes:
        inner: three diagonals of every chain, lower, diagonal, upper: each (n_r, n_e).
        inner_local: surface row, first local column, (n_e,).
        local_inner: local rows, surface column, (l, n_e).
        local_local: (l, l, n_e).
        local_macro: local rows, macro columns of the node, (l, m, n_e).
        macro_local: macro rows of the node, local columns, (m, l, n_e).
        macro: lower, diagonal, upper blocks of the line: each (n_x, m, m).
        columns: derivative with respect to the k coupled border scalars, c = k.
        rows: derivatives of the k coupled border rows, then of the q quadratures, by
            the surface, (k+q, n_e), by the local unknowns, (k+q, l, n_e), and by the
            line, (k+q, n_x, m).
        corner: those rows with respect to the coupled scalars, (k+q, k).
        quadrature: the diagonal entry of every quadrature, ().
        n_left: electrode nodes left of the gap.
    """

    inner: tuple[Array, Array, Array]
    inner_local: Array
    local_inner: Array
    local_local: Array
    local_macro: Array
    macro_local: Array
    macro: tuple[Array, Array, Array]
    columns: Blocks
    rows: Blocks
    corner: Array
    quadrature: Array
    n_left: int = eqx.field(static=True)

    def factor(self) -> "CondensedFactors":
        """Eliminate chains and local unknowns, factorise the line and the border."""
        n_r, n_e = self.inner[0].shape
        chains = block_tridiagonal.factor(*(band[:, None, None] for band in self.inner))
        coupling = jnp.zeros((n_r, 1, 1, n_e), self.inner_local.dtype)
        coupling = coupling.at[-1, 0, 0].set(self.inner_local)
        response = block_tridiagonal.solve(chains, coupling)[:, 0, 0]
        through = self.local_inner * response[-1]
        own = jnp.concatenate(
            [self.local_local[:, :1] - through[:, None], self.local_local[:, 1:]],
            axis=1,
        )
        weight = block_tridiagonal.inverse(own)
        lower, diag, upper = self.macro
        condensed = _times(_times(self.macro_local, weight), self.local_macro)
        diag = diag - self._to_line(jnp.moveaxis(condensed, -1, 0))
        line = block_tridiagonal.factor(lower, diag, upper)
        inside = CondensedFactors(self, chains, response, weight, line, None, None)
        influence = inside._solve_blocks(self.columns)
        schur = self.corner - _rows_times(self.rows, influence)
        k = self.corner.shape[1]
        corner = block_tridiagonal.inverse(schur[:k])
        border = (corner, schur[k:])
        return CondensedFactors(self, chains, response, weight, line, influence, border)

    def _to_line(self, nodes: Array) -> Array:
        """Electrode values (n_e, ...) on the line (n_x, ...), zero in the gap."""
        gap = self.macro[0].shape[0] - nodes.shape[0]
        zeros = jnp.zeros((gap, *nodes.shape[1:]), nodes.dtype)
        return jnp.concatenate([nodes[: self.n_left], zeros, nodes[self.n_left :]])

    def _from_line(self, line: Array) -> Array:
        """Line values (n_x, ...) at the electrode nodes (n_e, ...)."""
        gap = line.shape[0] - self.local_local.shape[-1]
        return jnp.concatenate([line[: self.n_left], line[self.n_left + gap :]])


class CondensedFactors(eqx.Module):
    """A factorised `CondensedMatrix`; solves with it and with its transpose."""

    matrix: CondensedMatrix
    chains: block_tridiagonal.Factors
    response: Array
    weight: Array
    line: block_tridiagonal.Factors
    influence: Blocks | None
    schur: tuple[Array, Array] | None

    def solve(self, rhs: Blocks, border: Array) -> tuple[Blocks, Array]:
        """Solve A x = rhs for one right-hand side.

        Args:
            rhs: rows inside the border, c = 1.
            border: coupled border rows, then quadrature rows, (k+q,).

        Returns:
            The unknowns in the same arrangement.
        """
        assert self.influence is not None and self.schur is not None
        inverse, quadrature_schur = self.schur
        k = inverse.shape[0]
        x = self._solve_blocks(rhs)
        remainder = border - _rows_times(self.matrix.rows, x)[:, 0]
        scalars = inverse @ remainder[:k]
        z = self.influence
        x = Blocks(
            x.inner - jnp.sum(z.inner * scalars[:, None], axis=1, keepdims=True),
            x.local - jnp.sum(z.local * scalars[:, None], axis=1, keepdims=True),
            x.macro - jnp.sum(z.macro * scalars, axis=2, keepdims=True),
        )
        quadratures = remainder[k:] - quadrature_schur @ scalars
        quadratures = quadratures / self.matrix.quadrature
        return x, jnp.concatenate([scalars, quadratures])

    def solve_transposed(self, rhs: Blocks, border: Array) -> tuple[Blocks, Array]:
        """Solve A^T x = rhs; arguments and results as in `solve`."""
        assert self.influence is not None and self.schur is not None
        inverse, quadrature_schur = self.schur
        k = inverse.shape[0]
        quadratures = border[k:] / self.matrix.quadrature
        along = (
            jnp.sum(self.influence.inner * rhs.inner, axis=(0, 2))
            + jnp.sum(self.influence.local * rhs.local, axis=(0, 2))
            + jnp.sum(self.influence.macro * rhs.macro, axis=(0, 1))
        )
        scalars = inverse.T @ (border[:k] - along - quadrature_schur.T @ quadratures)
        drive = jnp.concatenate([scalars, quadratures])
        rows = self.matrix.rows
        rest = Blocks(
            rhs.inner.at[-1, 0].add(-drive @ rows.inner),
            rhs.local - jnp.tensordot(drive, rows.local, 1)[:, None],
            rhs.macro - jnp.tensordot(drive, rows.macro, 1)[:, :, None],
        )
        return self._solve_blocks_transposed(rest), drive

    def _solve_blocks(self, rhs: Blocks) -> Blocks:
        """Solve inside the border, for any number of columns."""
        a = self.matrix
        chain = block_tridiagonal.solve(self.chains, rhs.inner[:, None])[:, 0]
        local = _times(self.weight, rhs.local - a.local_inner[:, None] * chain[-1])
        macro = rhs.macro - a._to_line(
            jnp.moveaxis(_times(a.macro_local, local), -1, 0)
        )
        macro = block_tridiagonal.solve(self.line, macro)
        at_nodes = jnp.moveaxis(a._from_line(macro), 0, -1)
        local = local - _times(self.weight, _times(a.local_macro, at_nodes))
        return Blocks(chain - self.response[:, None] * local[0], local, macro)

    def _solve_blocks_transposed(self, rhs: Blocks) -> Blocks:
        a = self.matrix
        driven = jnp.sum(self.response[:, None] * rhs.inner, axis=0, keepdims=True)
        local = jnp.concatenate([rhs.local[:1] - driven, rhs.local[1:]])
        weight = jnp.swapaxes(self.weight, 0, 1)
        back = _times(jnp.swapaxes(a.local_macro, 0, 1), _times(weight, local))
        macro = block_tridiagonal.solve_transposed(
            self.line, rhs.macro - a._to_line(jnp.moveaxis(back, -1, 0))
        )
        at_nodes = jnp.moveaxis(a._from_line(macro), 0, -1)
        local = local - _times(jnp.swapaxes(a.macro_local, 0, 1), at_nodes)
        local = _times(weight, local)
        entering = jnp.sum(a.local_inner[:, None] * local, axis=0)
        chain = rhs.inner.at[-1].add(-entering)
        chain = block_tridiagonal.solve_transposed(self.chains, chain[:, None])[:, 0]
        return Blocks(chain, local, macro)


def _times(a: Array, b: Array) -> Array:
    """Products of the small matrices of every node, (p, l, n) by (l, c, n)."""
    return jnp.sum(a[:, :, None] * b[None], axis=1)


def _rows_times(rows: Blocks, x: Blocks) -> Array:
    """Border rows (k+q) times c columns: (k+q, c)."""
    return (
        jnp.einsum("ke,ce->kc", rows.inner, x.inner[-1])
        + jnp.einsum("kle,lce->kc", rows.local, x.local)
        + jnp.einsum("kxm,xmc->kc", rows.macro, x.macro)
    )
