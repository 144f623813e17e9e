"""What an integrator asks of a system M dy/dt = f(tau, y)."""

import abc
import enum
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

Vector = Float[Array, " n"]


class Status(enum.IntEnum):
    """How an integration ended."""

    RUNNING = 0
    COMPLETED = 1
    EVENT = 2
    START_FAILED = 3
    STEP_TOO_SMALL = 4
    STEP_LIMIT = 5
    EVENT_NOT_MET = 6


class Factorised(NamedTuple):
    """A factorised step matrix: solves with it and with its transpose."""

    solve: Callable[[Vector], Vector]
    solve_transposed: Callable[[Vector], Vector]


class AbstractSystem(eqx.Module):
    """A semi-explicit index-1 DAE driven by controls that change between segments.

    `args` are parameters common to all segments, `control` those of one segment. Both
    are pytrees of arrays, and derivatives with respect to both are exact.
    """

    @property
    @abc.abstractmethod
    def mass(self) -> np.ndarray:
        """Diagonal of M, ones and zeros, (n,)."""

    @abc.abstractmethod
    def rates(self, tau: Array, y: Vector, args: Any, control: Any) -> Vector:
        """f at `tau` seconds into the segment."""

    @abc.abstractmethod
    def factor(
        self, shift: Array, tau: Array, y: Vector, args: Any, control: Any
    ) -> Factorised:
        """Factorise shift M - df/dy."""

    @abc.abstractmethod
    def begin(self, y: Vector) -> Vector:
        """The state as a segment begins; linear in y, and begun twice is begun once."""

    @abc.abstractmethod
    def start_guess(self, tau: Array, y: Vector, args: Any, control: Any) -> Vector:
        """A guess of the algebraic unknowns under a new control."""

    @abc.abstractmethod
    def limit_update(self, dy: Vector, args: Any) -> Array:
        """The largest factor in (0, 1] by which a Newton update may be applied."""

    @abc.abstractmethod
    def update_size(self, dy: Vector, args: Any) -> Array:
        """Scaled size of an update of the algebraic unknowns; below 1 it is rounding."""

    @abc.abstractmethod
    def error_ratio(
        self, error: Vector, y: Vector, args: Any, control: Any, tau: Array
    ) -> Array:
        """Local error over tolerance at rtol = 1; a step passes if this is <= rtol."""

    @abc.abstractmethod
    def outputs(self, tau: Array, y: Vector, args: Any, control: Any) -> Array:
        """The few quantities to record along the way, (n_out,)."""

    @abc.abstractmethod
    def events(self, tau: Array, y: Vector, args: Any, control: Any) -> Array:
        """Scaled distances to every event, (n_event,); a segment ends at zero."""
