"""Impedance spectra, by the linearised model in the frequency domain."""

import functools

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array

from naion_kernels.block_tridiagonal import one_lane

from .._precision import require_x64
from .._takes import start_is_said
from ..linalg import Blocks
from ..models import DFN, Equations, at_frequency
from ..parameters import Cell, Start, Stoichiometry, at_rest
from ..protocol import Control, Mode
from ._simulate import check_types
from .driver import in_kelvin, numbers

AT_ONCE = 16
"""Frequencies that are solved side by side, as one batch."""


@start_is_said
def impedance(
    cell: Cell,
    frequency: ArrayLike,
    *,
    model: DFN | None = None,
    start: Start = 0.5,
    temperature: ArrayLike | None = None,
) -> Array:
    """Impedance of the cell at rest.

    The response of the voltage to a small alternating current, from the exact
    linearisation of the same equations that `simulate` integrates: for every frequency
    one solve with the step matrix at the shift i omega. Double layers with an exponent
    below one are constant-phase elements here; see `physics.double_layer`.

    Args:
        cell: the cell.
        frequency: frequencies of any shape, such as `jnp.geomspace(1e4, 1e-3, 60)` [Hz].
        model: mesh and heat balance; none: the cell's own. Shells near the surface must be
            thin compared with the diffusion length sqrt(D_s / omega). At rest all layers
            of a stack are alike, so that `ThroughStack` computes one of them.
        start: state of charge, stoichiometries, or a name; see `simulate`.
        temperature: temperature of the cell [K]; none: the cell's own.

    Returns:
        complex impedance Z = -dV/dI in the shape of `frequency` [ohm].

    Raises:
        RuntimeError: when float64 is off.
        ValueError: for frequencies that are not positive, an unknown start, or a
            temperature in Celsius.
    """
    require_x64()
    check_types(cell, model := DFN() if model is None else model)
    frequency = numbers("frequency", frequency, "Frequencies are in hertz.")
    if not isinstance(frequency, Tracer) and not bool(jnp.all(frequency > 0.0)):
        raise ValueError(
            f"frequency={frequency}: expected positive numbers, in hertz. The limit of "
            "zero frequency is a slope of the open-circuit voltage, which diverges."
        )
    T = in_kelvin(cell, temperature)
    return _impedance(model.for_cell(cell), *at_rest(cell, start), T, frequency)


@functools.partial(jax.jit, static_argnums=0)
def _impedance(
    equations: Equations, cell: Cell, sto: Stoichiometry, T: Array, frequency: Array
) -> Array:
    grid, layout = equations.model.discretise(cell), equations.layout
    y = equations.equilibrium(grid, sto, T)
    zero = jnp.zeros(())
    control = Control(jnp.asarray(int(Mode.CURRENT)), zero, zero, T, zero)
    still, border = layout.split(jnp.zeros_like(y))
    # The residual of the control is (I - target) / 1C: one ampere of target moves it by
    # -1 / 1C.
    border = border.at[0].set(-1.0 / cell.nominal_capacity)

    def voltage(blocks: Blocks, border: Array) -> Array:
        state = equations.state(layout.join(blocks, border), zero, control)
        return equations.terminal_voltage(state, grid)

    # The terminal voltage is linear in the unknowns: its gradient gives the response.
    by_blocks, by_border = jax.grad(voltage, argnums=(0, 1))(*layout.split(y))

    # The step matrix, shift M - df/dy, is linear in the shift, so that two of them give
    # that at any shift i omega.
    ends = jax.vmap(lambda shift: equations.linearise(shift, zero, y, grid, control))(
        jnp.array([0.0, 1.0])
    )

    def at(f: Array) -> Array:
        matrix = at_frequency(equations, ends, f, y, grid, T)
        given = jax.tree.map(lambda a: a.astype(complex), (still, border))
        # Many frequencies side by side fill loops over rows, which compile in half the
        # time of a reduction.
        with one_lane():
            blocks, scalars = matrix.factor().solve(*given)
        parts = (jnp.sum(by * x) for by, x in zip(by_blocks, blocks, strict=True))
        return -(sum(parts) + by_border @ scalars)

    # Padded to whole groups, so that one compiled program serves all of them.
    flat = frequency.ravel()
    groups = -(-flat.size // AT_ONCE)
    if groups < 2:
        return jax.vmap(at)(flat).reshape(frequency.shape)
    filled = jnp.pad(flat, (0, groups * AT_ONCE - flat.size), mode="edge")
    found = jax.lax.map(jax.vmap(at), filled.reshape(groups, AT_ONCE))
    return found.ravel()[: flat.size].reshape(frequency.shape)
