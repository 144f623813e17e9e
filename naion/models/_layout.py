"""How the unknowns of the model lie in one flat vector."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..linalg import Blocks
from ..physics.surface import Unknown


class State(NamedTuple):
    """The unknowns by name.

    Attributes:
        sto: stoichiometry in every shell, centre first, of the slope's sites alone
            where pores fill from them; columns are the particles, negative electrode
            first, further materials of both electrodes last.
        pores: stoichiometry of the pores in every shell; no rows if there are none.
        c_e: salt concentration over its initial value.
        phi_e: liquid potential [V].
        phi_s: solid potential [V]; a placeholder in the separator.
        local: unknowns of the particle surfaces, one row each, in the order of the
            layout's `surface`; the first is the intercalation current density [A.m-2].
        current: cell current, discharge positive [A].
        temperature: [K].
        charge: discharged since the start [C].
        energy: delivered since the start [J].
        charge_mark: `charge` when the present protocol step began [C].
    """

    sto: Float[Array, "n_r n_e"]
    pores: Float[Array, "n_p n_e"]
    c_e: Float[Array, " n_x"]
    phi_e: Float[Array, " n_x"]
    phi_s: Float[Array, " n_x"]
    local: Float[Array, "l n_e"]
    current: Float[Array, ""]
    temperature: Float[Array, ""]
    charge: Float[Array, ""]
    energy: Float[Array, ""]
    charge_mark: Float[Array, ""]

    @property
    def j(self) -> Array:
        """Intercalation current density, positive on oxidation, (..., n_e) [A.m-2]."""
        return self.local[..., 0, :]

    @property
    def total_sto(self) -> Array:
        """Stoichiometry of all sites in every shell, (..., n_r, n_e)."""
        return self.sto + self.pores if self.pores.shape[-2] else self.sto


N_MACRO = 3
N_QUADRATURES = 3


class Layout(NamedTuple):
    """Sizes of the groups: chains, line, local, border (current [, temperature]).

    Attributes:
        n_r: shells.
        n_e: particles.
        n_x: nodes.
        has_temperature: whether it is an unknown.
        surface: unknowns of the particle surfaces.
        has_pores: whether pores beside the shells are unknowns.
    """

    n_r: int
    n_e: int
    n_x: int
    has_temperature: bool
    surface: tuple[Unknown, ...]
    has_pores: bool

    @property
    def n_p(self) -> int:
        """Rows of pores."""
        return self.n_r if self.has_pores else 0

    @property
    def n_border(self) -> int:
        return 2 if self.has_temperature else 1

    @property
    def current_at(self) -> int:
        """Place of the current in the flat vector, and of the row of the control."""
        return self.size - N_QUADRATURES - self.n_border

    @property
    def temperature_at(self) -> int:
        """Place of the temperature, where it is an unknown."""
        return self.current_at + 1

    @property
    def size(self) -> int:
        rows = self.n_r + self.n_p + len(self.surface)
        blocks = rows * self.n_e + N_MACRO * self.n_x
        return blocks + self.n_border + N_QUADRATURES

    def split(self, y: Array) -> tuple[Blocks, Array]:
        """Flat vector to blocks (one column) and border with quadratures."""
        sizes = [
            self.n_r * self.n_e,
            self.n_p * self.n_e,
            N_MACRO * self.n_x,
            len(self.surface) * self.n_e,
        ]
        # Split as a whole: the transpose is then one concatenation.
        parts = jnp.split(y, np.cumsum(sizes))
        inner, pores, macro, local, border = parts
        blocks = Blocks(
            inner=inner.reshape(self.n_r, 1, self.n_e),
            pores=pores.reshape(self.n_p, 1, self.n_e),
            local=local.reshape(len(self.surface), 1, self.n_e),
            macro=macro.reshape(self.n_x, N_MACRO, 1),
        )
        return blocks, border

    def join(self, blocks: Blocks, border: Array) -> Array:
        """The inverse of `split`."""
        parts = blocks.inner, blocks.pores, blocks.macro, blocks.local
        return jnp.concatenate([*(a.ravel() for a in parts), border])

    def unpack(self, y: Array, temperature: Array) -> State:
        """Name the unknowns; `temperature` is used where it is not one of them."""
        blocks, border = self.split(y)
        c_e, phi_e, phi_s = jnp.unstack(blocks.macro[:, :, 0], axis=1)
        current, *own, charge, energy, charge_mark = jnp.unstack(border)
        return State(
            sto=blocks.inner[:, 0],
            pores=blocks.pores[:, 0],
            c_e=c_e,
            phi_e=phi_e,
            phi_s=phi_s,
            local=blocks.local[:, 0],
            current=current,
            temperature=own[0] if own else temperature,
            charge=charge,
            energy=energy,
            charge_mark=charge_mark,
        )

    def pack(self, s: State) -> Array:
        """The inverse of `unpack`."""
        macro = jnp.stack([s.c_e, s.phi_e, s.phi_s], axis=1)
        scalars = [s.current]
        scalars += [s.temperature] if self.has_temperature else []
        scalars += [s.charge, s.energy, s.charge_mark]
        blocks = Blocks(
            s.sto[:, None], s.pores[:, None], s.local[:, None], macro[:, :, None]
        )
        return self.join(blocks, jnp.stack(scalars))

    def mass(self) -> np.ndarray:
        """Diagonal of the mass matrix: 1 for differential unknowns, 0 for algebraic."""
        border = [0.0] + [1.0] * (self.has_temperature + N_QUADRATURES)
        return np.concatenate(
            [
                np.ones((self.n_r + self.n_p) * self.n_e),
                np.tile([1.0, 0.0, 0.0], self.n_x),
                np.repeat([1.0 - u.algebraic for u in self.surface], self.n_e),
                border,
            ]
        )
