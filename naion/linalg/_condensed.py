r"""Static condensation: eliminate everything local, solve a line, put it back.

The unknowns of a porous-electrode model see little of each other:

- `inner`: a chain (the shells of one particle) for every particle; its last entry (the
  surface) meets the particle's local unknowns and nothing else;
- `pores`: beside every entry of a chain, an unknown that meets this entry only (sites
  that fill from others), or none at all;
- `local`: a few unknowns for every particle, which meet each other, the chain's surface
  and the node; the first (the intercalation current) drives the chain;
- `macro`: m unknowns for every node of a line, which meet the neighbours and, in
  electrodes, the local unknowns of the particles there;
- a `border` of a few global scalars (current, temperature) that may meet everything,
  and of quadratures (charge, energy), which everything may drive but which drive nothing.

Chains and local unknowns are eliminated exactly, which leaves a block-tridiagonal
system on the line, bordered by the scalars. Cost is linear in the number of unknowns,
and the transpose, which adjoints need, is solved with the same factors.

Particles come in runs: those of one material of one electrode lie side by side on the
line, one in each node. Several runs may lie in the same nodes.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Inexact, Shaped

from naion_kernels import block_tridiagonal

Runs = tuple[tuple[int, int], ...]
"""First node and length of runs of particles on the line."""


def spread(
    particles: Inexact[Array, "n_e ..."], runs: Runs, n_x: int
) -> Inexact[Array, "{n_x} ..."]:
    """Sum of the particles (n_e, ...) in every node of the line, (n_x, ...)."""
    layers, parts, reached, at = [], [], 0, 0

    def none(count: int) -> Inexact[Array, "{count} ..."]:
        return jnp.zeros((count, *particles.shape[1:]), particles.dtype)

    for first, count in (*runs, (-1, 0)):
        if first < reached:
            layers.append(jnp.concatenate([*parts, none(n_x - reached)]))
            parts, reached = [], 0
        if count:
            parts += [none(first - reached), particles[at : at + count]]
            reached, at = first + count, at + count
    return sum(layers[1:], start=layers[0])


def gather(line: Shaped[Array, "n_x ..."], runs: Runs) -> Shaped[Array, "n_e ..."]:
    """Values on the line (n_x, ...) where the particles are, (n_e, ...)."""
    return jnp.concatenate([line[first : first + count] for first, count in runs])


class Blocks(NamedTuple):
    """A vector, or c vectors side by side, of the unknowns inside the border.

    Attributes:
        inner: (n_r, c, n_e); the last row is the surface.
        pores: (n_r, c, n_e), or (0, c, n_e) where there are none.
        local: (l, c, n_e).
        macro: (n_x, m, c).
    """

    inner: Inexact[Array, "n_r c n_e"]
    pores: Inexact[Array, "n_p c n_e"]
    local: Inexact[Array, "l c n_e"]
    macro: Inexact[Array, "n_x m c"]


class Pores(NamedTuple):
    """How the unknowns beside the chains enter, each (n_r, n_e).

    Attributes:
        in_chain: chain rows, pore columns.
        by_chain: pore rows, chain columns.
        own: pore rows, pore columns.
    """

    in_chain: Inexact[Array, "n_r n_e"]
    by_chain: Inexact[Array, "n_r n_e"]
    own: Inexact[Array, "n_r n_e"]


OfChains = Inexact[Array, "n_r n_e"]
OfLine = Inexact[Array, "n_x m m"]
OnLine = Inexact[Array, "n_x m c"]
Beside = Inexact[Array, "m l n_e"]


class CondensedMatrix(eqx.Module):
    """The entries of one step matrix A; see the module for the groups.

    Attributes:
        inner: three diagonals of every chain, lower, diagonal, upper: each (n_r, n_e).
        pores: what lies beside the chains, or none.
        inner_local: surface row, first local column, (n_e,).
        local_inner: local rows, surface column, (l, n_e).
        local_local: (l, l, n_e).
        local_macro: local rows, macro columns of the node, (l, m, n_e).
        macro_local: macro rows of the node, local columns, (m, l, n_e).
        beside: macro rows of the node before and of the node after, or none.
        macro: lower, diagonal, upper blocks of the line: each (n_x, m, m).
        columns: derivative with respect to the k coupled border scalars, c = k.
        rows: derivatives of the k coupled border rows, then of the q quadratures, by
            the surface, (k+q, n_e), by the local unknowns, (k+q, l, n_e), and by the
            line, (k+q, n_x, m). No such row sees the pores.
        corner: those rows with respect to the coupled scalars, (k+q, k).
        quadrature: the diagonal entry of every quadrature, ().
        runs: where the particles are on the line.
    """

    inner: tuple[OfChains, OfChains, OfChains]
    pores: Pores | None
    inner_local: Inexact[Array, " n_e"]
    local_inner: Inexact[Array, "l n_e"]
    local_local: Inexact[Array, "l l n_e"]
    local_macro: Inexact[Array, "l m n_e"]
    macro_local: Beside
    beside: tuple[Beside, Beside] | None
    macro: tuple[OfLine, OfLine, OfLine]
    columns: Blocks
    rows: Blocks
    corner: Inexact[Array, "kq k"]
    quadrature: Inexact[Array, ""]
    runs: Runs = eqx.field(static=True)

    def factor(self) -> "CondensedFactors":
        """Eliminate chains and local unknowns, factorise the line and the border."""
        n_r, n_e = self.inner[0].shape
        lower, diag, upper = self.inner
        if self.pores is not None:
            diag = diag - self.pores.in_chain * self.pores.by_chain / self.pores.own
        chains = block_tridiagonal.factor(
            *(band[:, None, None] for band in (lower, diag, upper))
        )
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
        condensed = _times(weight, self.local_macro)
        before, own, after = self._onto_line(condensed)
        diag = diag - own
        if self.beside is not None:
            upper, lower = upper - _moved(before, -1), lower - _moved(after, 1)
        line = block_tridiagonal.factor(lower, diag, upper)
        inside = CondensedFactors(self, chains, response, weight, line, None, None)
        influence = inside._solve_blocks(self.columns)
        schur = self.corner - _rows_times(self.rows, influence)
        k = self.corner.shape[1]
        corner = block_tridiagonal.inverse(schur[:k])
        border = (corner, schur[k:])
        return CondensedFactors(self, chains, response, weight, line, influence, border)

    def _to_line(
        self, particles: Inexact[Array, "n_e ..."]
    ) -> Inexact[Array, "n_x ..."]:
        return spread(particles, self.runs, self.macro[0].shape[0])

    def _onto_line(
        self, local: Inexact[Array, "l c n_e"]
    ) -> tuple[OnLine, OnLine, OnLine]:
        """What local values (l, c, n_e) add to rows of the line, each (n_x, m, c).

        To those of the node before, of their own and of the node after, at their own.
        """

        def through(rows: Beside) -> OnLine:
            return self._to_line(jnp.moveaxis(_times(rows, local), -1, 0))

        own = through(self.macro_local)
        if self.beside is None:
            return own, own, own
        return through(self.beside[0]), own, through(self.beside[1])

    def _from_line(self, line: Inexact[Array, "n_x ..."]) -> Inexact[Array, "n_e ..."]:
        return gather(line, self.runs)


class CondensedFactors(eqx.Module):
    """A factorised `CondensedMatrix`; solves with it and with its transpose."""

    matrix: CondensedMatrix
    chains: block_tridiagonal.Factors
    response: Inexact[Array, "n_r n_e"]
    weight: Inexact[Array, "l l n_e"]
    line: block_tridiagonal.Factors
    influence: Blocks | None
    schur: tuple[Inexact[Array, "k k"], Inexact[Array, "q k"]] | None

    def solve(
        self, rhs: Blocks, border: Inexact[Array, " b"]
    ) -> tuple[Blocks, Inexact[Array, " b"]]:
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
            x.pores - jnp.sum(z.pores * scalars[:, None], axis=1, keepdims=True),
            x.local - jnp.sum(z.local * scalars[:, None], axis=1, keepdims=True),
            x.macro - jnp.sum(z.macro * scalars, axis=2, keepdims=True),
        )
        quadratures = remainder[k:] - quadrature_schur @ scalars
        quadratures = quadratures / self.matrix.quadrature
        return x, jnp.concatenate([scalars, quadratures])

    def solve_transposed(
        self, rhs: Blocks, border: Inexact[Array, " b"]
    ) -> tuple[Blocks, Inexact[Array, " b"]]:
        """Solve A^T x = rhs; arguments and results as in `solve`."""
        assert self.influence is not None and self.schur is not None
        inverse, quadrature_schur = self.schur
        k = inverse.shape[0]
        quadratures = border[k:] / self.matrix.quadrature
        along = (
            jnp.sum(self.influence.inner * rhs.inner, axis=(0, 2))
            + jnp.sum(self.influence.pores * rhs.pores, axis=(0, 2))
            + jnp.sum(self.influence.local * rhs.local, axis=(0, 2))
            + jnp.sum(self.influence.macro * rhs.macro, axis=(0, 1))
        )
        scalars = inverse.T @ (border[:k] - along - quadrature_schur.T @ quadratures)
        drive = jnp.concatenate([scalars, quadratures])
        rows = self.matrix.rows
        rest = Blocks(
            rhs.inner.at[-1, 0].add(-drive @ rows.inner),
            rhs.pores,
            rhs.local - jnp.tensordot(drive, rows.local, 1)[:, None],
            rhs.macro - jnp.tensordot(drive, rows.macro, 1)[:, :, None],
        )
        return self._solve_blocks_transposed(rest), drive

    def _solve_blocks(self, rhs: Blocks) -> Blocks:
        """Solve inside the border, for any number of columns."""
        a = self.matrix
        inner, beside = rhs.inner, a.pores
        if beside is not None:
            inner = inner - (beside.in_chain / beside.own)[:, None] * rhs.pores
        chain = block_tridiagonal.solve(self.chains, inner[:, None])[:, 0]
        local = _times(self.weight, rhs.local - a.local_inner[:, None] * chain[-1])
        before, own, after = a._onto_line(local)
        macro = rhs.macro - own
        if a.beside is not None:
            macro = macro - _moved(before, -1) - _moved(after, 1)
        macro = block_tridiagonal.solve(self.line, macro)
        at_nodes = jnp.moveaxis(a._from_line(macro), 0, -1)
        local = local - _times(self.weight, _times(a.local_macro, at_nodes))
        chain = chain - self.response[:, None] * local[0]
        pores = rhs.pores
        if beside is not None:
            pores = pores - beside.by_chain[:, None] * chain
            pores = pores / beside.own[:, None]
        return Blocks(chain, pores, local, macro)

    def _solve_blocks_transposed(self, rhs: Blocks) -> Blocks:
        a, beside = self.matrix, self.matrix.pores
        inner = rhs.inner
        if beside is not None:
            inner = inner - (beside.by_chain / beside.own)[:, None] * rhs.pores
        driven = jnp.sum(self.response[:, None] * inner, axis=0, keepdims=True)
        local = jnp.concatenate([rhs.local[:1] - driven, rhs.local[1:]])
        weight = jnp.swapaxes(self.weight, 0, 1)
        back = _times(jnp.swapaxes(a.local_macro, 0, 1), _times(weight, local))
        macro = block_tridiagonal.solve_transposed(
            self.line, rhs.macro - a._to_line(jnp.moveaxis(back, -1, 0))
        )
        at_nodes = jnp.moveaxis(a._from_line(macro), 0, -1)
        local = local - _times(jnp.swapaxes(a.macro_local, 0, 1), at_nodes)
        if a.beside is not None:
            for rows, moved in zip(a.beside, (1, -1), strict=True):
                at_nodes = jnp.moveaxis(a._from_line(_moved(macro, moved)), 0, -1)
                local = local - _times(jnp.swapaxes(rows, 0, 1), at_nodes)
        local = _times(weight, local)
        entering = jnp.sum(a.local_inner[:, None] * local, axis=0)
        chain = inner.at[-1].add(-entering)
        chain = block_tridiagonal.solve_transposed(self.chains, chain[:, None])[:, 0]
        pores = rhs.pores
        if beside is not None:
            pores = pores - beside.in_chain[:, None] * chain
            pores = pores / beside.own[:, None]
        return Blocks(chain, pores, local, macro)


def _moved(line: Inexact[Array, "n_x ..."], by: int) -> Inexact[Array, "n_x ..."]:
    """Values (n_x, ...) one node further on (1) or back (-1), zero where none come."""
    none = jnp.zeros_like(line[:1])
    parts = [none, line[:-1]] if by > 0 else [line[1:], none]
    return jnp.concatenate(parts)


def _times(
    a: Inexact[Array, "p l n"], b: Inexact[Array, "l c n"]
) -> Inexact[Array, "p c n"]:
    """Products of the small matrices of every node, (p, l, n) by (l, c, n)."""
    return jnp.sum(a[:, :, None] * b[None], axis=1)


def _rows_times(rows: Blocks, x: Blocks) -> Inexact[Array, "kq c"]:
    """Border rows (k+q) times c columns: (k+q, c)."""
    return (
        jnp.einsum("ke,ce->kc", rows.inner, x.inner[-1])
        + jnp.einsum("kle,lce->kc", rows.local, x.local)
        + jnp.einsum("kxm,xmc->kc", rows.macro, x.macro)
    )
