"""What an audit finds: answers to readings, and verdicts."""

from dataclasses import dataclass

import numpy as np

from ._claims import Claim, Reading


@dataclass(frozen=True)
class Change:
    """The least change that makes a reading hold, or fail where it holds.

    Attributes:
        distance: in standard deviations of what is believed; its square is the rise of
            the log density, twice.
        parts: name, change in words, and standard deviations, the largest first.
        reaches: whether it does; if not, `parts` are those of the nearest found.
        best: quantities there.
    """

    distance: float
    parts: tuple[tuple[str, str, float], ...]
    reaches: bool
    best: np.ndarray


@dataclass(frozen=True)
class Answer:
    """What is predicted for a reading.

    Attributes:
        reading: what was asked.
        values: of all quantities in every draw, (n, k); NaN where the solver failed.
        median: at the median of everything, (k,).
        probability: that the reading holds.
        shares: name, quality in words, source and share of the variance of the first
            required quantity, the largest first; shares add up to one.
        change: see `Change`; none where the question has no slope.
        outside: how far the reading is from the data, in words, or "".
    """

    reading: Reading
    values: np.ndarray
    median: np.ndarray
    probability: float
    shares: tuple[tuple[str, str, str, float], ...]
    change: Change | None
    outside: str

    @property
    def interval(self) -> np.ndarray:
        """5, 50 and 95 % of all quantities, (3, k)."""
        said = self.values[np.all(np.isfinite(self._required), axis=1)]
        return np.percentile(said, [5.0, 50.0, 95.0], axis=0)

    @property
    def _required(self) -> np.ndarray:
        return self.values[:, [r.quantity for r in self.reading.requirements]]

    @property
    def failed(self) -> int:
        """Draws in which the solver failed."""
        return int(np.sum(~np.all(np.isfinite(self._required), axis=1)))

    @property
    def verdict(self) -> str:
        """In one word."""
        if self.probability >= 0.9:
            return "holds"
        return "fails" if self.probability <= 0.1 else "open"

    @property
    def in_short(self) -> str:
        """Verdict and probability."""
        return f"{self.verdict}, probability {self.probability:.2f}"


@dataclass(frozen=True)
class Audit:
    """A claim with the answers to its readings."""

    claim: Claim
    answers: tuple[Answer, ...]
