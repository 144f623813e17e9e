"""Ask every reading of every claim: how likely, what it hangs on, what would make it true."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .._progress import Counted, Progress, silent
from .._takes import takes
from ..batch import Checkpoint, Lanes, Program
from ..parameters import QUALITIES, Sourced
from ._answer import Answer, Audit, Change
from ._claims import Claim, Reading
from ._kept import ABOUT, keep, kept, name_of
from ._product import Product
from ._runs import USUAL, Setting

DRAWS = 128
"""Draws of every reading: a probability of one half to within 4 percentage points."""

NEGLIGIBLE = 0.05
"""Changes below this many standard deviations are not worth naming."""


@takes
def audit(
    claims: Sequence[Claim],
    products: Mapping[str, Product],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    folder: Path | str | None = None,
    progress: Progress = silent,
    done: Callable[[Sequence[Audit]], None] = lambda audits: None,
) -> tuple[Audit, ...]:
    """Answer every reading of some claims.

    Args:
        claims: from `load`.
        products: they are about, by name.
        draws: of everything uncertain, for each reading.
        seed: of the draws.
        folder: answers are kept there as they are found, and not sought again by calls
            with the same reading, products, draws and seed.
        progress: called with a line of text now and then.
        done: called with all that is answered, after each claim of which something had
            to be computed.

    Raises:
        ValueError: for fewer than two draws, or a folder with parts of something else.
    """
    if not isinstance(draws, int) or draws < 2:
        raise ValueError(
            f"draws={draws!r}: an interval needs at least two, better {DRAWS}."
        )
    finished = None if folder is None else Checkpoint(folder, ABOUT)
    programs: dict[Any, Asked] = {}
    found = []
    for k, claim in enumerate(claims, start=1):
        text = f"claim {k} of {len(claims)}, {claim.name}: {claim.said}"
        progress(Counted(text, k - 1, len(claims)))
        answers: list[Answer] = []
        computed = False
        for i, reading in enumerate(claim.readings, start=1):
            which = f"  reading {i} of {len(claim.readings)}: "

            def say(text: str, which=which) -> None:
                # Of a reading, not of all that there is to do.
                progress(which + str(text))

            names = tuple(n for n in (reading.product, reading.other) if n)
            own = tuple(products[n] for n in names)
            name = name_of(reading, own, draws, seed) if finished else ""
            answer = kept(finished, name, reading) if finished else None
            if answer is not None:
                say(f"{answer.in_short}, kept from before")
                answers.append(answer)
                continue
            prices = None if reading.prices is None else reading.prices.name
            key = reading.question, names, reading.heat, reading.conditions, prices
            if key not in programs:
                say("building its programs, which takes a minute the first time ever")
                programs[key] = Asked(reading, own)
            # The first verdict is to come soon: nothing is compiled beside it.
            alone = not (found or answers)
            answers.append(_answer(programs[key], reading, draws, seed, alone, say))
            computed = True
            if finished:
                keep(finished, name, answers[-1])
        found.append(Audit(claim, tuple(answers)))
        if computed:
            done(found)
    return tuple(found)


class Asked:
    """A question of some products, as compiled functions of one vector of uncertain numbers.

    The vector x holds those of each product, then the conditions of the reading.

    Args:
        reading: what is asked.
        products: the products that it is about.
        by: mesh and other settings of simulations.
    """

    def __init__(
        self, reading: Reading, products: tuple[Product, ...], by: Setting = USUAL
    ):
        self.products, self.conditions = products, reading.conditions
        ask = reading.asked.ask
        setting = by._replace(heat=reading.heat, prices=reading.prices)

        def values(lane: tuple[Array, Mapping[str, Array]]) -> Array:
            x, numbers = lane
            made, start = [], 0
            for p in products:
                n = len(p.median)
                made.append(p.made(x[start : start + n]))
                start += n
            own = {
                c.name: c.at(u) for c, u in zip(self.conditions, x[start:], strict=True)
            }
            return ask(tuple(made), {**numbers, **own}, setting)

        self.values, self.of_draws = values, Program(values)
        self.slopes_and_values = jax.jit(
            lambda x, numbers: slopes_and_values(lambda x: values((x, numbers)))(x)
        )

    def together(self, of: Callable[[Product], Any], rest: np.ndarray) -> np.ndarray:
        return np.concatenate([*(np.asarray(of(p)) for p in self.products), rest])

    @property
    def median(self) -> np.ndarray:
        return self.together(lambda p: p.median, np.zeros(len(self.conditions)))

    @property
    def root(self) -> np.ndarray:
        return self._beside([p.root for p in self.products])

    @property
    def levers(self) -> np.ndarray:
        return self._beside([p.levers for p in self.products])

    def _beside(self, parts: list[np.ndarray]) -> np.ndarray:
        from scipy.linalg import block_diag

        own = np.eye(len(self.conditions))
        return np.asarray(block_diag(*(p for p in parts if len(p)), own))

    @property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        own = np.array([c.reach for c in self.conditions]).reshape(-1, 2)
        return (
            self.together(lambda p: p.reach[0], own[:, 0]),
            self.together(lambda p: p.reach[1], own[:, 1]),
        )

    @property
    def numbers(self) -> tuple[Sourced, ...]:
        found = []
        for p in self.products:
            of = f" of {p.name}" if len(self.products) > 1 else ""
            found += [dataclasses.replace(n, name=n.name + of) for n in p.numbers]
        return (*found, *self.conditions)

    def drawn(self, n: int, seed: int) -> np.ndarray:
        parts = [p.drawn(n, seed + 10 * k) for k, p in enumerate(self.products)]
        rng = np.random.default_rng(seed + 5)
        own = rng.standard_normal((n, len(self.conditions)))
        own[0] = 0.0
        return np.concatenate([*parts, own], axis=1)

    def in_words(self, x: np.ndarray) -> dict[str, str]:
        text, start = {}, 0
        for p in self.products:
            of = f" of {p.name}" if len(self.products) > 1 else ""
            n = len(p.median)
            words = p.in_words(x[start : start + n])
            text |= {k + of: v for k, v in words.items()}
            start += n
        for c, u in zip(self.conditions, x[start:], strict=True):
            text[c.name] = f"{c.median:.4g} to {float(c.at(u)):.4g}"
        return text


def slopes_and_values(
    function: Callable[[Array], Array],
) -> Callable[[Array], tuple[Array, Array]]:
    """The Jacobian (n, k) beside the values (n,) of a function of a vector (k,).

    Compiling takes most of the time: one program does both.
    """

    def twice(x: Array) -> tuple[Array, Array]:
        found = function(x)
        return found, found

    return jax.jacrev(twice, has_aux=True)


def _answer(
    asked: Asked,
    reading: Reading,
    draws: int,
    seed: int,
    alone: bool,
    say: Progress,
) -> Answer:
    numbers = {k: jnp.asarray(v) for k, v in reading.numbers.items()}
    x = asked.drawn(draws, seed)
    lanes = x, {k: np.full(draws, v) for k, v in reading.numbers.items()}
    with ThreadPoolExecutor(1) as pool:

        def begun() -> Future:
            return pool.submit(asked.slopes_and_values, asked.median, numbers)

        # Most of the time goes into compiling: both programs at once.
        sloped = None if alone else begun()
        values = np.asarray(asked.of_draws(Lanes.of(lanes)))
        margins = np.stack([r.margin(values) for r in reading.requirements], axis=-1)
        said = np.all(np.isfinite(margins), axis=-1)
        holds = np.all(margins[said] >= 0.0, axis=-1)
        probability = float(np.mean(holds)) if said.any() else float("nan")
        # What follows explains this.
        answer = Answer(
            reading, values, values[0], probability, (), None, _outside(asked, reading)
        )
        say(f"{answer.in_short} of {draws} draws; what it hangs on comes next")
        slopes = np.asarray((sloped or begun()).result()[0])
    first = reading.requirements[0].quantity
    return dataclasses.replace(
        answer,
        shares=_shares(asked, slopes[first]),
        change=_least_change(asked, reading, numbers, values[said]),
    )


def _shares(asked: Asked, slope: np.ndarray) -> tuple:
    """Share of every name in the variance g^T C g: g_k (C g)_k, for correlated numbers."""
    root = asked.root
    if not np.all(np.isfinite(slope)):
        return ()
    pulled = root @ (root.T @ slope)
    total = float(slope @ pulled)
    if not total > 0.0:
        return ()
    by_name: dict[str, float] = {}
    for number, part in zip(asked.numbers, slope * pulled / total, strict=True):
        by_name[number.name] = by_name.get(number.name, 0.0) + float(part)
    of = {number.name: number for number in asked.numbers}
    named = sorted(by_name, key=lambda name: -abs(by_name[name]))
    return tuple((k, QUALITIES[of[k].quality], of[k].source, by_name[k]) for k in named)


def _least_change(
    asked: Asked, reading: Reading, numbers: dict[str, Array], values: np.ndarray
) -> Change | None:
    """The nearest point, in standard deviations, at which the reading just holds.

    Known as the design point of first-order reliability analysis (Hasofer and Lind, J.
    Eng. Mech. Div. 100 (1974) 111), found by sequential quadratic programming with exact
    gradients. Where the reading holds at the median, the nearest point where it does not.
    """
    from scipy import optimize

    low, high = asked.reach
    if not len(low):
        return None  # Nothing is uncertain.
    margins = _Margins(asked, reading, numbers, values)
    at_median = margins(np.zeros(len(low)))
    if not np.all(np.isfinite(at_median)):
        return None
    if np.all(at_median >= 0.0):
        # The requirement that fails first is the one that is nearest to failing.
        k = int(np.argmin(at_median))
        constraint, jacobian = (
            lambda v: -margins(v)[k : k + 1],
            lambda v: -margins.slopes(v)[k : k + 1],
        )
    else:
        constraint, jacobian = margins, margins.slopes
    start = _newton(constraint, jacobian, low, high)
    done = optimize.minimize(
        lambda v: 0.5 * float(v @ v),
        start,
        jac=lambda v: v,
        bounds=np.stack([low, high], axis=1),
        constraints={"type": "ineq", "fun": constraint, "jac": jacobian},
        method="SLSQP",
        options={"maxiter": 40, "ftol": 1e-5},
    )
    found = [np.clip(done.x, low, high), start]
    there = [v for v in found if _worst(constraint(v)) > -0.02]
    reaches = bool(there)
    if there:
        v = min(there, key=lambda v: float(v @ v))
    else:
        # None within the bounds: as far as the worst requirement goes.
        v = max(found, key=lambda v: _worst(constraint(v)))
    there = margins.quantities(v)
    return Change(float(np.linalg.norm(v)), _parts(asked, v), reaches, there)


class _Margins:
    """By how much a reading's requirements are met, in units of their spread.

    Called with a point in standard deviations from the median, (n,); gives the margin of
    each requirement, (r,), negative where it is not met.

    Args:
        asked: the claim, with all that is uncertain.
        reading: its requirements.
        numbers: numbers of the reading.
        values: quantities of all draws, (draws, quantities), for their spread.
    """

    def __init__(
        self,
        asked: Asked,
        reading: Reading,
        numbers: dict[str, Array],
        values: np.ndarray,
    ):
        self.asked, self.numbers = asked, numbers
        self.median, self.levers = asked.median, asked.levers
        self.required = reading.requirements
        self.which = [r.quantity for r in self.required]
        self.signs = np.array([r.sign for r in self.required])
        drawn = values[:, self.which]
        spread = np.nanstd(drawn, axis=0) if len(values) > 1 else np.ones(len(drawn.T))
        least = 1e-6 * np.abs(np.nanmedian(drawn, axis=0)) + 1e-9
        self.scale = np.maximum(spread, least)
        # The optimiser asks for values and slopes of one point apart.
        self._at = functools.lru_cache(maxsize=4)(self._computed)

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Margins at a point."""
        found = self.quantities(v)
        return np.array([r.margin(found) for r in self.required]) / self.scale

    def slopes(self, v: np.ndarray) -> np.ndarray:
        """Derivatives of the margins at a point, (r, n)."""
        J, _ = self._at(np.asarray(v, float).tobytes())
        of_moves = J[self.which] @ self.levers
        return (self.signs / self.scale)[:, None] * of_moves

    def quantities(self, v: np.ndarray) -> np.ndarray:
        """All quantities of the claim at a point."""
        return self._at(np.asarray(v, float).tobytes())[1]

    def _computed(self, point: bytes) -> tuple[np.ndarray, np.ndarray]:
        x = self.median + self.levers @ np.frombuffer(point)
        J, found = self.asked.slopes_and_values(x, self.numbers)
        return np.asarray(J), np.asarray(found)


def _worst(margins: np.ndarray) -> float:
    return float(np.min(margins)) if np.all(np.isfinite(margins)) else -np.inf


def _newton(constraint, jacobian, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Steps towards meeting every constraint, each the shortest that its slopes say."""
    v = np.zeros(len(low))
    best, worst = v, _worst(constraint(v))
    for _ in range(8):
        left, J = constraint(v), jacobian(v)
        if not (np.all(np.isfinite(left)) and np.all(np.isfinite(J))):
            break
        unmet = left < 0.0
        if not unmet.any():
            break
        step = np.linalg.lstsq(J[unmet], -1.02 * left[unmet], rcond=1e-8)[0]
        step *= min(1.0, 3.0 / max(np.linalg.norm(step), 1e-12))
        v = np.clip(v + step, low, high)
        now = _worst(constraint(v))
        if now > worst:
            best, worst = v, now
    return best


def _parts(asked: Asked, v: np.ndarray) -> tuple[tuple[str, str, float], ...]:
    moved = asked.levers @ v
    words = asked.in_words(asked.median + moved)
    sd = np.linalg.norm(asked.root, axis=1)
    size: dict[str, float] = {}
    for number, d in zip(asked.numbers, moved / np.maximum(sd, 1e-300), strict=True):
        if abs(d) > abs(size.get(number.name, 0.0)):
            size[number.name] = float(d)
    named = sorted(size, key=lambda k: -abs(size[k]))
    return tuple((k, words[k], size[k]) for k in named if abs(size[k]) > NEGLIGIBLE)


def _outside(asked: Asked, reading: Reading) -> str:
    """Where a reading goes beyond the data of its materials."""
    T = reading.numbers.get("temperature_degC")
    if T is None or not asked.products:
        return ""
    low = min(p.temperatures[0] for p in asked.products)
    high = max(p.temperatures[1] for p in asked.products)
    if low > T:
        return f"extrapolates by {low - T:.0f} K below the coldest data ({low:g} degC)"
    if high < T:
        return (
            f"extrapolates by {T - high:.0f} K above the warmest data ({high:g} degC)"
        )
    return ""
