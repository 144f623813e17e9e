"""A fit as residuals: simulated minus measured, over the uncertainty."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ..models import DFN
from ..parameters import Cell, Electrode, Stoichiometry, electrode_capacities
from ..protocol import Protocol
from ..simulation import simulate
from ._experiment import Experiment, Kind
from ._free import Free, Subject, get_vector, set_vector


class _Case(NamedTuple):
    """An experiment as arrays, padded so that all share one program."""

    protocol: Protocol
    temperature: Array
    group: Array
    discharged: Array
    kind: Array
    a: Array
    b: Array
    value: Array
    sigma: Array


@dataclass(frozen=True)
class Problem:
    """What to fit to what.

    Attributes:
        subject: where to start from.
        free: what may move.
        experiments: what was measured.
        model: equations and mesh.
        rtol: tolerance of the simulations.
        workers: simulations, or parts of their derivatives, run at the same time.
    """

    subject: Subject
    free: tuple[Free, ...]
    experiments: tuple[Experiment, ...]
    model: DFN = DFN()
    rtol: float = 1e-3
    workers: int = 2
    _cases: tuple[_Case, ...] = field(init=False, repr=False)
    _programs: dict = field(init=False, repr=False, default_factory=dict)
    _compiled: set = field(init=False, repr=False, default_factory=set)

    def __post_init__(self):
        if not self.experiments:
            raise ValueError("A fit needs at least one experiment.")
        if not self.free:
            raise ValueError("A fit needs at least one free parameter.")
        n = _bucket(max(e.protocol.n_steps for e in self.experiments))
        m = _bucket(max(e.n_observations for e in self.experiments))
        cases = tuple(_as_case(e, n, m) for e in self.experiments)
        object.__setattr__(self, "_cases", cases)

    @property
    def start(self) -> np.ndarray:
        """Transformed start values."""
        return get_vector(self.free, self.subject)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Transformed bounds, one pair for each entry of the vector."""
        sizes = [np.size(get_vector((f,), self.subject)) for f in self.free]
        pairs = zip(self.free, sizes, strict=True)
        ends = [
            [float(f.forward(b)) for b in f.bounds] for f, n in pairs for _ in range(n)
        ]
        low, high = np.array(ends).T
        return low, high

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each entry of the vector."""
        names = []
        for f in self.free:
            n = np.size(get_vector((f,), self.subject))
            names += [f.name] if n == 1 else [f"{f.name}[{i}]" for i in range(n)]
        return tuple(names)

    def subject_at(self, z: np.ndarray) -> Subject:
        """The subject with the free parameters of `z`."""
        return set_vector(self.free, self.subject, jnp.asarray(z))

    def predictions(self, z: np.ndarray) -> list[np.ndarray]:
        """Simulated observations of every experiment; NaN where the model ended."""
        program = self._program("predict", lambda f: f)
        results = self._map(
            lambda case: np.asarray(program(jnp.asarray(z), case)),
            self._cases,
            "predict",
        )
        return [
            r[: e.n_observations]
            for r, e in zip(results, self.experiments, strict=True)
        ]

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """Data residuals, then prior residuals; the fit minimises half their squares."""
        rows = [
            _residual(r, c)[: e.n_observations]
            for r, c, e in zip(
                self.predictions(z), self._cases, self.experiments, strict=True
            )
        ]
        return np.concatenate([*rows, self._prior(z)])

    def jacobian(self, z: np.ndarray) -> np.ndarray:
        """Derivatives of `residuals`, by forward mode through the simulations."""

        def along(function):
            def of(z, case, directions):
                def slope(d):
                    return jax.jvp(lambda z: function(z, case), (z,), (d,))[1]

                return jax.vmap(slope, out_axes=1)(directions)

            return of

        # As many tasks for each experiment as there are workers: few long experiments
        # then keep them all busy.
        program, n = self._program("jacobian", along), len(z)
        width = -(-n // self.workers)
        directions = jnp.eye(width * self.workers, n).reshape(-1, width, n)
        tasks = [(case, d) for case in self._cases for d in directions]
        parts = self._map(
            lambda task: np.asarray(program(jnp.asarray(z), *task)), tasks, "jacobian"
        )
        rows = []
        for i, (c, e) in enumerate(zip(self._cases, self.experiments, strict=True)):
            J = np.hstack(parts[i * self.workers : (i + 1) * self.workers])[:, :n]
            J = np.where(np.isfinite(J), J, 0.0) / np.asarray(c.sigma)[:, None]
            rows.append(J[: e.n_observations])
        return np.vstack([*rows, jax.jacobian(self._prior_rows)(jnp.asarray(z))])

    def value_and_grad(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        """Half the sum of squares and its gradient, by reverse mode."""

        def loss(function):
            def of(z, case):
                r = _residual(function(z, case), case)
                return 0.5 * jnp.sum(r * r)

            return jax.value_and_grad(of)

        program = self._program("gradient", loss)
        results = self._map(
            lambda case: program(jnp.asarray(z), case), self._cases, "gradient"
        )

        def prior(z):
            return 0.5 * jnp.sum(self._prior_rows(z) ** 2)

        value, gradient = jax.value_and_grad(prior)(jnp.asarray(z))
        for v, g in results:
            value, gradient = value + v, gradient + g
        return float(value), np.asarray(gradient)

    def _program(self, name, transform):
        if name not in self._programs:
            self._programs[name] = eqx.filter_jit(transform(self._simulated))
        return self._programs[name]

    def _map(self, function, tasks, name: str) -> list:
        done = []
        if name not in self._compiled:
            # One first, so that the program is compiled once.
            done = [function(tasks[0])]
            self._compiled.add(name)
        with ThreadPoolExecutor(self.workers) as pool:
            return [*done, *pool.map(function, tasks[len(done) :])]

    def _simulated(self, z: Array, case: _Case) -> Array:
        subject = set_vector(self.free, self.subject, z)
        cell = subject.cell
        Q_n, Q_p = electrode_capacities(cell)
        charged = cell.published if cell.charged is None else cell.charged
        out = subject.missing[case.group] + case.discharged
        start = Stoichiometry(
            charged.negative - out / Q_n, charged.positive + out / Q_p
        )
        n = case.protocol.n_steps
        solution = simulate(
            cell,
            case.protocol,
            model=self.model,
            start=start,
            temperature=case.temperature,
            rtol=self.rtol,
            max_steps=160 + 14 * n,
            throw=False,
        )
        V_b, I_b, _, Q_b, E_b = solution.at(case.b).T
        V_a, _, _, Q_a, E_a = solution.at(case.a).T
        charge = jnp.where(case.kind == Kind.MEAN_VOLTAGE, Q_b - Q_a, 1.0)
        current = jnp.where(case.kind == Kind.RESISTANCE, I_b, 1.0)
        kinds = [V_b, (E_b - E_a) / charge, (V_a - V_b) / current]
        return jnp.select([case.kind == k for k in Kind], kinds)

    def _prior(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self._prior_rows(jnp.asarray(z)))

    def _prior_rows(self, z: Array) -> Array:
        rows, i = [], 0
        start = jnp.asarray(self.start)
        for f in self.free:
            n = np.size(get_vector((f,), self.subject))
            part = z[i : i + n]
            if math.isfinite(f.prior):
                rows.append((part - start[i : i + n]) / f.prior)
            if math.isfinite(f.smooth) and n > 2:
                rows.append(jnp.diff(part, 2) / f.smooth)
            i += n
        if any(".ocp." in path for f in self.free for path in f.paths):
            cell = set_vector(self.free, self.subject, z).cell
            rows.append(jax.nn.softplus(1.0 + ocp_slopes(cell) / FALL))
        return jnp.concatenate(rows) if rows else jnp.zeros(0)


FALL = 0.01
"""Fitted open-circuit potentials fall by more than about this [V per unit of x].

Where one rises with x, the particles of an electrode unmix: some fill up while others
empty, and nothing computed from such a cell can be trusted.
"""


def ocp_slopes(cell: Cell) -> Array:
    """dU/dx of both open-circuit potentials between x = 0.01 and 0.99 [V]."""
    x = jnp.linspace(0.01, 0.99, 99)

    def slope(electrode: Electrode) -> Array:
        U = electrode.particle.ocp
        return jnp.diff(U(x, cell.temperature)) / jnp.diff(x)

    return jnp.concatenate([slope(cell.negative), slope(cell.positive)])


def _residual(prediction, case: _Case):
    """(prediction - value) / sigma; a discharge that has ended counts as at zero volts."""
    xp = np if isinstance(prediction, np.ndarray) else jnp
    n = prediction.shape[0]
    value, sigma = xp.asarray(case.value)[:n], xp.asarray(case.sigma)[:n]
    return (xp.where(xp.isfinite(prediction), prediction, 0.0) - value) / sigma


def _bucket(n: int) -> int:
    """Round up to one of few sizes, so that unlike problems share programs."""
    size = 1
    while size < n:
        size = size + max(1, size // 2)
    return size


def _as_case(e: Experiment, n_steps: int, m: int) -> _Case:
    def column(parts: Sequence, pad: float) -> Array:
        joined = np.concatenate([np.asarray(p, float) for p in parts])
        return jnp.asarray(np.append(joined, np.full(m - joined.size, pad)))

    o = e.observations
    kinds = [np.full(len(x.value), int(x.kind)) for x in o]
    return _Case(
        protocol=e.protocol.padded(n_steps),
        temperature=jnp.asarray(float(e.temperature)),
        group=jnp.asarray(e.group),
        discharged=jnp.asarray(float(e.discharged)),
        kind=column(kinds, 0.0).astype(int),
        a=column([x.a for x in o], 0.0),
        b=column([x.b for x in o], 0.0),
        value=column([x.value for x in o], 0.0),
        # Padding weighs nothing.
        sigma=column([x.sigma for x in o], 1e30),
    )
