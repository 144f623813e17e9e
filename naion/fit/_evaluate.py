"""Simulate the observations of many experiments at once, with their derivatives."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..batch import Lanes, Program, is_shared, stack
from ..models import DFN
from ..protocol import Protocol
from ._experiment import Experiment
from ._free import LEADS, SENSOR, Specimen
from ._in_time import PaddedTest, padded, simulated
from ._seen import PADDED, Seen
from ._spectra import (
    PaddedSpectrum,
    frequencies,
    padded_spectrum,
    simulated_spectrum,
)
from ._vector import FreeVector

Request = Literal["predictions", "linearised"]
Programs = dict[Request, Program]


class Rows:
    """The fixed inputs of many lanes, of which some are computed at a time.

    Args:
        known: pytree of arrays, each with the lanes along its first axis.
        one: whether all lanes of a call always have the same parameters.
    """

    def __init__(self, known: Any, one: bool):
        leaves, self.tree = jax.tree.flatten(known)
        self.leaves = [np.asarray(a) for a in leaves]
        self.count = len(self.leaves[0])
        shared = [self.count > 1 and is_shared(a) for a in self.leaves]
        self.shared = (one and self.count > 1, *shared)

    @property
    def known(self) -> Any:
        """The inputs as they were given."""
        return self.tree.unflatten(self.leaves)

    def ask(
        self,
        program: Program,
        rows: Sequence[int] | np.ndarray,
        z: np.ndarray,
        most: int,
    ) -> Any:
        """Call a program of (z, inputs) for some lanes; one row of the result for each.

        Args:
            program: the program.
            rows: indices of the lanes, (k,).
            z: transformed parameters of each of them, (k, n).
            most: most lanes that any call asks for.
        """
        # Batches come in few sizes, so that few programs are compiled; the last lane is
        # repeated to fill them.
        size = _rounded(len(rows), min(most, self.count))
        at = np.asarray([*rows, *[rows[-1]] * (size - len(rows))])
        z = z[np.minimum(np.arange(size), len(rows) - 1)]
        pairs = zip(self.leaves, self.shared[1:], strict=True)
        leaves = (z, *(a if s else a[at] for a, s in pairs))
        tree = jax.tree.structure((0, self.known))
        answer = program(Lanes(leaves, tree, self.shared, size))
        return jax.tree.map(lambda a: a[: len(rows)], answer)


@dataclass(frozen=True)
class _Part:
    """The lanes of an evaluator that share programs: its tests in time, or its spectra.

    Attributes:
        lanes: their indices among all lanes, increasing, (k,).
        rows: their fixed inputs.
        programs: the program for each request.
    """

    lanes: np.ndarray
    rows: Rows
    programs: Programs

    def ask(self, request: Request, lanes: np.ndarray, z: np.ndarray, most: int) -> Any:
        """Answers for some of these lanes; see `Evaluator.ask`."""
        rows = np.searchsorted(self.lanes, lanes)
        return self.rows.ask(self.programs[request], rows, z, most)

    def residuals(self, z: Array) -> tuple[Array, np.ndarray]:
        """Residuals of the data, and the lane of each; can be traced by JAX, (m,)."""
        known = jax.tree.map(jnp.asarray, self.rows.known)
        sigma = np.asarray(self.rows.known[1].sigma)
        (at,) = np.nonzero(np.ravel(sigma < PADDED))
        predictions = self.programs["predictions"].function
        found = _residuals(predictions, known, at, z)
        return found, self.lanes[at // sigma.shape[1]]


class Evaluator:
    """Evaluates experiments, each on its specimen, as lanes of a batch.

    Tests in time are simulated, while impedance spectra follow from linear equations. Each
    kind has a program of its own, as in a common one every lane would pay for both.

    Args:
        vector: free parameters, the same for all lanes.
        lanes: specimen and experiment of each lane.
        model: mesh and heat balance.
        rtol: tolerance of the simulations.
        one: whether all lanes of a call always have the same parameters.

    Raises:
        ValueError: for specimens of different structure.
    """

    def __init__(
        self,
        vector: FreeVector,
        lanes: Sequence[tuple[Specimen, Experiment]],
        model: DFN,
        rtol: float,
        one: bool,
    ):
        # Many lanes share a specimen: each is stacked once, and its rows are repeated.
        specimens, which = _unique([s for s, _ in lanes])
        stacked, self.count = stack(specimens), len(lanes)
        self.parts: list[_Part] = []
        for spectra in (False, True):
            (own,) = np.array([e.is_spectrum == spectra for _, e in lanes]).nonzero()
            if not own.size:
                continue
            experiments = [lanes[int(i)][1] for i in own]
            if spectra:
                programs = _programs_of_spectra(vector, model)
                tests = _all_padded_spectra(experiments)
            else:
                room = _bucket(max(_room(e.protocol, rtol) for e in experiments), 4)
                programs = _programs(vector, model, rtol, room)
                tests = _all_padded(experiments)
            known = jax.tree.map(lambda a, at=which[own]: a[at], stacked), stack(tests)
            self.parts.append(_Part(own, Rows(known, one), programs))

    def ask(
        self,
        request: Request,
        rows: Sequence[int],
        z: np.ndarray,
        most: int | None = None,
    ) -> Any:
        """Answers for some lanes, as arrays with one row for each.

        Args:
            request: "predictions" gives the simulated observations, as `Seen`;
                "linearised" also the derivatives of their values, (m, n).
            rows: indices of the lanes, (k,).
            z: transformed parameters of each of them, (k, n).
            most: most lanes that any call asks for; none: all.
        """
        most = self.count if most is None else most
        asked, answers = np.asarray(rows), []
        for part in self.parts:
            (own,) = np.nonzero(np.isin(asked, part.lanes))
            if own.size:
                answers.append((own, part.ask(request, asked[own], z[own], most)))
        return _side_by_side(answers, len(asked))

    def residuals(self, z: Array) -> Array:
        """Residuals of the data of all lanes, in order; can be traced by JAX, (m,)."""
        values, lanes = zip(*(part.residuals(z) for part in self.parts), strict=True)
        order = np.argsort(np.concatenate(lanes), kind="stable")
        return jnp.concatenate(values)[order]


def _side_by_side(answers: list[tuple[np.ndarray, Any]], count: int) -> Any:
    """Join the answers of both kinds of lanes in their order, padded to equal widths.

    Args:
        answers: places of the rows among all that were asked for, and the rows.
        count: how many were asked for.
    """
    if len(answers) == 1:
        return answers[0][1]

    def joined(*each: np.ndarray) -> np.ndarray:
        widest = max(a.shape[1] for a in each)
        whole = np.zeros((count, widest, *each[0].shape[2:]), each[0].dtype)
        for (own, _), a in zip(answers, each, strict=True):
            whole[own, : a.shape[1]] = a
        return whole

    return jax.tree.map(joined, *(answer for _, answer in answers))


def _all_padded(experiments: Sequence[Experiment]) -> list[PaddedTest]:
    n = _bucket(max(e.protocol.n_steps for e in experiments))
    m = _bucket(max(e.n_observations for e in experiments))
    return [padded(e, n, m) for e in experiments]


def _all_padded_spectra(experiments: Sequence[Experiment]) -> list[PaddedSpectrum]:
    k = _bucket(max(len(frequencies(e)) for e in experiments), 4)
    m = _bucket(max(e.n_observations for e in experiments))
    return [padded_spectrum(e, k, m) for e in experiments]


@functools.cache
def _programs(vector: FreeVector, model: DFN, rtol: float, room: int) -> Programs:
    """Programs for tests in time; cached, since compiling one takes seconds."""
    return _asking(vector, lambda s, test: simulated(s, test, model, rtol, room), LEADS)


@functools.cache
def _programs_of_spectra(vector: FreeVector, model: DFN) -> Programs:
    """Programs for impedance spectra; cached."""
    return _asking(vector, lambda s, test: simulated_spectrum(s, test, model), SENSOR)


def _asking(
    vector: FreeVector,
    seen: Callable[[Specimen, Any], Seen],
    without: tuple[str, ...],
) -> Programs:
    """The program for each request, as functions of one lane.

    Args:
        vector: free parameters.
        seen: simulated observations of a specimen in a padded test.
        without: fields of a specimen that such tests do not depend on, and by which no
            derivatives are taken.
    """

    def predictions(lane) -> Seen:
        z, (specimen, test) = lane
        return seen(vector.set(specimen, z), test)

    def linearised(lane) -> tuple[Seen, Array]:
        z, (specimen, test) = lane
        own = vector.directions(test.group, without)

        def along(direction: Array) -> tuple[Array, Array, Array]:
            rest = specimen, test
            return jax.jvp(
                lambda z: predictions((z, rest)), (z,), (direction,), has_aux=True
            )

        if not len(own):
            value, reached = predictions(lane)
            return Seen(value, reached), jnp.zeros((len(value), len(vector)))
        value, slopes, reached = jax.vmap(along, out_axes=(None, 1, None))(own)
        return Seen(value, reached), slopes @ own

    return {"predictions": Program(predictions), "linearised": Program(linearised)}


@eqx.filter_jit
def _residuals(
    predictions: Callable[[Any], Seen],
    lanes: tuple[Specimen, Any],
    at: np.ndarray,
    z: Array,
) -> Array:
    """Residuals of all lanes in a row, without those of padding, (m,).

    Args:
        predictions: program of one lane.
        lanes: fixed inputs of all lanes.
        at: places of the residuals that are no padding, (m,).
        z: transformed parameters, (n,).
    """

    def of_lane(lane: tuple[Specimen, Any]) -> Array:
        test = lane[1]
        return (jnp.asarray(predictions((z, lane)).value) - test.value) / test.sigma

    return jnp.ravel(jax.vmap(of_lane)(lanes))[at]


def _room(protocol: Protocol, rtol: float) -> int:
    """Upper bound of the steps that the solver takes for a protocol at a tolerance."""
    # The error of a step grows as the fifth power of its length.
    more = max(1.0, 1e-3 / rtol) ** 0.2
    joined = protocol.n_joined
    # A tight bound matters: with hundreds of rows, the record of all steps and its
    # derivatives fill gigabytes. The check-ups of `make demo` take six steps a row.
    return round((160 + 11 * (protocol.n_steps - joined) + 3 * joined) * more)


def _unique(specimens: list[Specimen]) -> tuple[list[Specimen], np.ndarray]:
    """The distinct objects among specimens, and the index of each specimen's object."""
    known = {id(s): s for s in specimens}
    place = {key: i for i, key in enumerate(known)}
    return list(known.values()), np.array([place[id(s)] for s in specimens])


FEWEST = 8
"""Smallest size of a batch where there are as many lanes: one vector of a CPU."""


def _rounded(n: int, most: int) -> int:
    """The smallest of few batch sizes that holds `n` of at most `most` lanes."""
    if most < FEWEST:
        return n
    # Each size is a program of its own, which takes seconds to compile.
    sizes = [FEWEST * 2**k for k in range(24)]
    return min((s for s in sizes if n <= s < most), default=most)


def _bucket(n: int, share: int = 2) -> int:
    """Round up to one of few sizes, so that different problems share compiled programs.

    Args:
        n: the number to round up.
        share: each size is larger than the one before by this part of it: 2 for half.
    """
    size = 1
    while size < n:
        size = size + max(1, size // share)
    return size


def seen_in(specimen: Specimen, e: Experiment, model: DFN, rtol: float) -> np.ndarray:
    """Simulated observations of an experiment, NaN beyond the model's end, (m,)."""
    m = e.n_observations
    if e.is_spectrum:
        arrays = padded_spectrum(e, len(frequencies(e)), m)
        seen = simulated_spectrum(specimen, arrays, model)
    else:
        seen = simulated(specimen, padded(e, e.protocol.n_steps, m), model, rtol)
    return np.where(seen.reached, seen.value, np.nan)
