"""Simulated observations of many experiments at once, and their derivatives."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._takes import takes
from ..batch import Lanes, Program, is_shared, stack
from ..models import DFN
from ..protocol import Mode, Protocol
from ..simulation import Solution, simulate
from ..systems import Outputs
from ._experiment import IN_TIME, Experiment
from ._free import LEADS, SENSOR, Specimen
from ._seen import PADDED, Numbers, Seen, as_tested, column
from ._spectra import (
    PaddedSpectrum,
    frequencies,
    padded_spectrum,
    simulated_spectrum,
)
from ._vector import FreeVector

Question = Literal["predictions", "linearised"]
Programs = dict[Question, Program]


class PaddedTest(NamedTuple):
    """An experiment as arrays, padded so that all share one program."""

    protocol: Protocol
    temperature: Numbers
    group: Numbers
    discharged: Numbers
    kind: Numbers
    a: Numbers
    b: Numbers
    since: Numbers
    value: Numbers
    sigma: Numbers


AFTER_END = 20.0
"""Fall of the voltage that a test goes on for after the model's end, over the time that it
lasts then [V]: about as steep as discharges end."""


class Rows:
    """What is known of many lanes, of which some are computed at a time.

    Args:
        known: pytree of arrays with the lanes along the first axis of each.
        one: whether all lanes are always asked with the same parameters.
    """

    def __init__(self, known: Any, one: bool):
        leaves, self.tree = jax.tree.flatten(known)
        self.leaves = [np.asarray(a) for a in leaves]
        self.count = len(self.leaves[0])
        shared = [self.count > 1 and is_shared(a) for a in self.leaves]
        self.shared = (one and self.count > 1, *shared)

    @property
    def known(self) -> Any:
        """As it was given."""
        return self.tree.unflatten(self.leaves)

    def ask(
        self,
        program: Program,
        rows: Sequence[int] | np.ndarray,
        z: np.ndarray,
        most: int,
    ) -> Any:
        """A program of (z, what is known), for some lanes, one row of the result for each.

        Args:
            program: what to compute.
            rows: lanes.
            z: transformed parameters of each, (rows, n).
            most: lanes that are ever asked for at once.
        """
        # Few sizes, so that few programs are compiled; the last lane is repeated.
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
    """Lanes of one program: tests in time, or spectra.

    Attributes:
        lanes: which of all they are, in order.
        rows: what is known of them.
        programs: what answers each question.
    """

    lanes: np.ndarray
    rows: Rows
    programs: Programs

    def ask(
        self, question: Question, lanes: np.ndarray, z: np.ndarray, most: int
    ) -> Any:
        """Answers for some of its lanes; see `Evaluator.ask`."""
        rows = np.searchsorted(self.lanes, lanes)
        return self.rows.ask(self.programs[question], rows, z, most)

    def residuals(self, z: Array) -> tuple[Array, np.ndarray]:
        """Of its data, and of which lane each is; can be traced."""
        known = jax.tree.map(jnp.asarray, self.rows.known)
        sigma = np.asarray(self.rows.known[1].sigma)
        (at,) = np.nonzero(np.ravel(sigma < PADDED))
        predictions = self.programs["predictions"].function
        found = _residuals(predictions, known, at, z)
        return found, self.lanes[at // sigma.shape[1]]


class Evaluator:
    """Experiments, each with the specimen it was made on, as lanes of two programs.

    What is measured in time is simulated, spectra are linear equations: each kind has a
    program of its own, so that neither takes the time of the other.

    Args:
        vector: what may move; the same for all lanes.
        lanes: specimen and experiment of each lane.
        model: equations and mesh.
        rtol: tolerance of the simulations.
        one: whether all lanes are always asked with the same parameters.

    Raises:
        ValueError: for specimens of unlike structure.
    """

    def __init__(
        self,
        vector: FreeVector,
        lanes: Sequence[tuple[Specimen, Experiment]],
        model: DFN,
        rtol: float,
        one: bool,
    ):
        # Specimens are shared by many lanes: stacked once each.
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
        question: Question,
        rows: Sequence[int],
        z: np.ndarray,
        most: int | None = None,
    ) -> Any:
        """Answers for some lanes, as arrays with one row for each; see `Rows.ask`.

        Args:
            question: "predictions" gives what would have been measured, as `Seen`;
                "linearised" also the derivatives of its values, (m, n).
            rows: lanes.
            z: transformed parameters of each, (rows, n).
            most: lanes that are ever asked for at once; none: all.
        """
        most = self.count if most is None else most
        asked, answers = np.asarray(rows), []
        for part in self.parts:
            (own,) = np.nonzero(np.isin(asked, part.lanes))
            if own.size:
                answers.append((own, part.ask(question, asked[own], z[own], most)))
        return _side_by_side(answers, len(asked))

    def residuals(self, z: Array) -> Array:
        """Of the data of all lanes, one after the other; can be traced, (m,)."""
        values, lanes = zip(*(part.residuals(z) for part in self.parts), strict=True)
        order = np.argsort(np.concatenate(lanes), kind="stable")
        return jnp.concatenate(values)[order]


def _side_by_side(answers: list[tuple[np.ndarray, Any]], count: int) -> Any:
    """Answers of parts as those of all lanes, filled up to equal numbers of data."""
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
    """What answers each question, of one lane; kept, as compiling it takes seconds."""
    return _asking(vector, lambda s, test: simulated(s, test, model, rtol, room), LEADS)


@functools.cache
def _programs_of_spectra(vector: FreeVector, model: DFN) -> Programs:
    """As `_programs`, of spectra."""
    return _asking(vector, lambda s, test: simulated_spectrum(s, test, model), SENSOR)


def _asking(
    vector: FreeVector,
    seen: Callable[[Specimen, Any], Seen],
    without: tuple[str, ...],
) -> Programs:
    """Programs of one lane.

    Args:
        vector: what may move.
        seen: what a test on a specimen shows.
        without: what of a specimen such tests do not depend on.
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
    """Residuals of lanes at the places `at` of their rows, one after the other."""

    def of_lane(lane: tuple[Specimen, Any]) -> Array:
        test = lane[1]
        return (jnp.asarray(predictions((z, lane)).value) - test.value) / test.sigma

    return jnp.ravel(jax.vmap(of_lane)(lanes))[at]


def simulated(
    specimen: Specimen,
    test: PaddedTest,
    model: DFN,
    rtol: float,
    room: int | None = None,
) -> Seen:
    """What an experiment would have measured on a specimen."""
    _, solution = simulate_test(specimen, test, model, rtol, room)
    began = solution.began(test.since)
    a, _ = _gone_on(solution, began + test.a, test.temperature)
    b, reached = _gone_on(solution, began + test.b, test.temperature)
    charge, energy = b.charge - a.charge, b.energy - a.energy
    # Nothing flowed between times after an end at rest: the voltage there is the mean.
    flowed = charge != 0.0
    mean = jnp.where(flowed, energy / jnp.where(flowed, charge, 1.0), b.voltage)
    current = jnp.where(b.current != 0.0, b.current, 1.0)
    kinds = [b.voltage, mean, (a.voltage - b.voltage) / current, b.temperature]
    kinds += [b.negative_potential, b.positive_potential]
    return Seen(jnp.select([test.kind == k for k in IN_TIME], kinds), reached)


def _gone_on(
    solution: Solution, t: Array, temperature: Numbers
) -> tuple[Outputs, Array]:
    """Outputs at times, after the model's end as if it had gone on, and whether it did.

    With no more than a jump at the end a fit would not know which way to go, and one row of
    many that lies behind it would forbid every step that moves the end. The voltage falls
    on, see `AFTER_END`; current and temperature stay; charge and energy follow from them.

    Args:
        solution: of a test.
        t: times since the start, NaN in a step that did not begin [s], (m,).
        temperature: of a test that failed at once [K].
    """
    seen = solution.at(t)
    reached = jnp.isfinite(seen.voltage)
    began = jnp.isfinite(t)
    asked = jnp.where(began & ~reached, t, 1.0)
    late = jnp.where(began, 1.0 - solution.t_end / asked, 1.0)
    dt = jnp.where(began, asked - solution.t_end, 0.0)
    V, I, T, Q, E, margin, *apart = solution.end
    V = jnp.where(jnp.isfinite(V), V, 0.0)
    T = jnp.where(jnp.isfinite(T), T, temperature)
    I, Q, E = (jnp.where(jnp.isfinite(x), x, 0.0) for x in (I, Q, E))
    falling = V - AFTER_END * late
    power = 0.5 * (V + falling) * I
    # Which electrode ended it nobody asks: each has half of the fall.
    negative, positive = (jnp.where(jnp.isfinite(x), x, 0.0) for x in apart)
    half = 0.5 * AFTER_END * late
    apart = negative + half, positive - half
    after = Outputs(falling, I, T, Q + I * dt, E + power * dt, margin, *apart)
    return jax.tree.map(functools.partial(jnp.where, reached), seen, after), reached


@takes
def simulate_test(
    specimen: Specimen,
    test: PaddedTest | Experiment,
    model: DFN,
    rtol: float = 1e-3,
    room: int | None = None,
) -> tuple[Specimen, Solution]:
    """What belongs to the test's group, and the test simulated on it."""
    own, cell, start = as_tested(specimen, test)
    solution = simulate(
        cell,
        as_it_flowed(test.protocol, own),
        model=model,
        start=start,
        temperature=test.temperature,
        rtol=rtol,
        max_steps=room,
        throw=False,
    )
    return own, solution


def _room(protocol: Protocol, rtol: float) -> int:
    """More than the steps that a protocol takes at a tolerance."""
    # The error of a step goes as its fifth power.
    more = max(1.0, 1e-3 / rtol) ** 0.2
    joined = protocol.n_joined
    # Records and their derivatives fill gigabytes where rows are hundreds: the check-ups
    # of `make demo` take six steps a row.
    return round((160 + 11 * (protocol.n_steps - joined) + 3 * joined) * more)


def as_it_flowed(protocol: Protocol, sensor: Specimen) -> Protocol:
    """The protocol with currents as they were, not as they were logged."""
    logged = protocol.value
    gain = jnp.where(logged > 0.0, sensor.gain, sensor.gain_on_charge)
    one = jnp.where(protocol.in_c_rate, sensor.cell.nominal_capacity, 1.0)
    flowed = gain * logged + sensor.offset / one
    errs = (protocol.mode == Mode.CURRENT) & (logged != 0.0)
    slope = jnp.where(errs, gain, 1.0) * protocol.slope
    value = jnp.where(errs, flowed, logged)
    return eqx.tree_at(lambda p: (p.value, p.slope), protocol, (value, slope))


def _unique(specimens: list[Specimen]) -> tuple[list[Specimen], np.ndarray]:
    """Distinct objects, and which of them each is."""
    known = {id(s): s for s in specimens}
    place = {key: i for i, key in enumerate(known)}
    return list(known.values()), np.array([place[id(s)] for s in specimens])


FEWEST = 8
"""Lanes that are computed at least, where there are as many: one vector."""


def _rounded(n: int, most: int) -> int:
    """The least of few sizes that holds `n` of at most `most` lanes."""
    if most < FEWEST:
        return n
    sizes = [FEWEST * 2**k * three // 2 for k in range(24) for three in (2, 3)]
    return min((s for s in sizes if n <= s < most), default=most)


def _bucket(n: int, share: int = 2) -> int:
    """Round up to one of few sizes, so that unlike problems share programs.

    Args:
        n: to round up.
        share: sizes grow by one part in so many.
    """
    size = 1
    while size < n:
        size = size + max(1, size // share)
    return size


def padded(e: Experiment, n_steps: int, m: int) -> PaddedTest:
    """An experiment as arrays, padded to numbers of steps and of observations."""
    o = e.observations
    kinds = [np.full(len(x.value), int(x.kind)) for x in o]
    return PaddedTest(
        protocol=e.protocol.padded(n_steps),
        temperature=np.asarray(float(e.temperature)),
        group=np.asarray(e.group),
        discharged=np.asarray(float(e.discharged)),
        kind=column(kinds, m).astype(int),
        a=column([x.a for x in o], m),
        b=column([x.b for x in o], m),
        since=np.asarray(e.since),
        value=column([x.value for x in o], m),
        # Padding weighs nothing.
        sigma=column([x.sigma for x in o], m, PADDED),
    )


def seen_in(specimen: Specimen, e: Experiment, model: DFN, rtol: float) -> np.ndarray:
    """What an experiment would have measured, NaN after the model's end, (m,)."""
    m = e.n_observations
    if e.is_spectrum:
        arrays = padded_spectrum(e, len(frequencies(e)), m)
        seen = simulated_spectrum(specimen, arrays, model)
    else:
        seen = simulated(specimen, padded(e, e.protocol.n_steps, m), model, rtol)
    return np.where(seen.reached, seen.value, np.nan)
