"""A number with its unit, quality and source, and how uncertain it is."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array

from .._quality import QUALITIES, Quality

Distribution = Literal["lognormal", "normal", "triangular"]

TWO_SD = 0.9545
"""Probability of a range of two standard deviations to either side."""

ALL = 5.0
"""Standard deviations of a normal draw that are mapped onto the whole range of a triangular
number."""


@dataclass(frozen=True)
class Sourced:
    """A number of a parameter set, a design or a claim, with its source and uncertainty.

    Attributes:
        name: name of the number; in a parameter set its dotted path in the `Cell`.
        value: median of the number in `unit`; for a triangular distribution its most
            likely value. For a table or an expression a description in words; the range is
            then that of its dimensionless scale.
        unit: unit of `value`, "-" for none.
        quality: quality of the source, a key of `QUALITIES`.
        source: citation or reasoning.
        range: lowest and highest plausible value, which every assumed number has; none:
            the number is taken as exact.
        level: probability that the number lies in its range. It has no meaning for a
            triangular distribution, which ends at the range.
        bounds: values beyond which the number cannot be; none: two ranges from the value.
        distribution: distribution of the number; none: lognormal if range and bounds are
            positive, else normal. A triangular one rises from the low end of the range to
            the value and falls to the high end, as price lists state it.
        follows: name of another number, and the power of it with which the range moves.
            It is for numbers of which a ratio is known: where the diffusion time R^2 / D is
            known, the range of the diffusivity D follows the radius R with the power 2.
        same_in_all: whether an assumed number is the same in all sets of its kind, by value
            or by rule, because nothing is known of any of them. Such a number does not
            tell one chemistry from another.

    Raises:
        ValueError: for an unknown quality or distribution, an assumed number without a
            range, a range without its level, a range or bounds that do not hold the
            value, or a number that is the same in all sets but not assumed.
    """

    name: str
    value: float | str
    unit: str
    quality: Quality
    source: str
    range: tuple[float, float] | None = None
    level: float | None = None
    bounds: tuple[float, float] | None = None
    distribution: Distribution | None = None
    follows: tuple[str, float] | None = None
    same_in_all: bool = False

    def __post_init__(self):
        if self.quality not in QUALITIES:
            raise ValueError(
                f"{self.name}: quality = {self.quality!r}; known are "
                f"{', '.join(QUALITIES)}."
            )
        if self.same_in_all and self.quality != "A":
            raise ValueError(
                f"{self.name}: same_in_all is of assumed numbers (A); its quality is "
                f"{self.quality!r}."
            )
        if self.range is None:
            if self.quality == "A":
                raise ValueError(
                    f"{self.name} is assumed (A): give its range, the lowest and the "
                    "highest plausible value."
                )
        elif self.level is None or not 0.0 < self.level < 1.0:
            raise ValueError(
                f"{self.name}: level = {self.level!r} of its range; expected the "
                "probability of what lies inside, such as 0.9."
            )
        given = [e for e in (self.range, self.bounds) if e is not None]
        for what, ends in (("range", self.range), ("bounds", self.bounds)):
            if ends is not None and not ends[0] <= self._given <= ends[1]:
                raise ValueError(
                    f"{self.name}: {what} {_shown(ends)} does not hold the value "
                    f"{self._given:g}; expected the lower end first."
                )
        positive = all(ends[0] > 0.0 for ends in given)
        if self.distribution is None:
            word = "lognormal" if positive else "normal"
            object.__setattr__(self, "distribution", word)
        elif self.distribution == "lognormal" and not positive:
            raise ValueError(
                f"{self.name} is lognormal: expected range and bounds above zero, got "
                f"{' and '.join(map(_shown, given))}."
            )
        elif self.is_triangular and (self.range is None or self.bounds is not None):
            raise ValueError(
                f"{self.name} is triangular: expected a range, in which all of it lies, "
                "and no bounds."
            )

    @property
    def _given(self) -> float:
        return 1.0 if isinstance(self.value, str) else float(self.value)

    @property
    def median(self) -> float:
        """Median of the number; for a table or an expression of its scale, which is 1.

        For a triangular distribution it differs from the most likely value.
        """
        if not self.is_triangular:
            return self._given
        assert self.range is not None
        (low, high), most = self.range, self._given
        half = 0.5 * (high - low)
        if most >= low + half:
            return low + float(np.sqrt(half * (most - low)))
        return high - float(np.sqrt(half * (high - most)))

    @property
    def is_triangular(self) -> bool:
        """Whether the distribution is triangular."""
        return self.distribution == "triangular"

    @property
    def is_log(self) -> bool:
        """Whether the logarithm of the number is normally distributed."""
        return self.distribution == "lognormal"

    @property
    def deviations(self) -> float:
        """Half of the range in standard deviations, for the level of the range.

        Quantiles of the normal distribution to three decimals, as tables give them: 1.645
        for 90 %, 2 for 95.45 %.
        """
        return round(NormalDist().inv_cdf(0.5 + 0.5 * (self.level or 0.0)), 3)

    @property
    def sd(self) -> float:
        """Standard deviation; of the logarithm for lognormal numbers; 0 without a range."""
        if self.range is None:
            return 0.0
        low, high = self.range
        if self.is_triangular:
            m = self._given
            squares = low**2 + m**2 + high**2 - low * m - low * high - m * high
            return float(np.sqrt(squares / 18.0))
        width = float(np.log(high / low)) if self.is_log else high - low
        return width / (2.0 * self.deviations)

    @property
    def ends(self) -> tuple[float, float]:
        """Values beyond which it is not drawn: its bounds, or two ranges from the value."""
        if self.bounds is not None:
            return self.bounds
        if self.is_triangular and self.range is not None:
            return self.range
        far = 4.0 * self.deviations * self.sd
        if self.is_log:
            return float(self.median * np.exp(-far)), float(self.median * np.exp(far))
        return self.median - far, self.median + far

    @property
    def reach(self) -> tuple[float, float]:
        """Distances from the median to both ends, in standard deviations."""
        if self.sd == 0.0:
            return 0.0, 0.0
        if self.is_triangular:
            return -ALL, ALL
        low, high = np.asarray(self.ends)
        if self.is_log:
            away = np.log(np.array([low, high]) / self.median)
        else:
            away = np.array([low, high]) - self.median
        below, above = away / self.sd
        return float(below), float(above)

    def at(self, u: Array) -> Array:
        """The number at `u` standard deviations from its median, within its ends.

        For a triangular distribution, the quantile at the probability of `u` in the normal
        distribution.
        """
        if self.is_triangular:
            return self._quantile(norm.cdf(jnp.clip(u, *self.reach)))
        away = self.sd * jnp.clip(u, *self.reach)
        return self.median * jnp.exp(away) if self.is_log else self.median + away

    def _quantile(self, p: Array | float) -> Array:
        """Quantile of the triangular distribution at a probability between 0 and 1."""
        assert self.range is not None
        low, high = self.range
        most, width = self._given, high - low
        if width == 0.0:
            return jnp.full(jnp.shape(p), low)
        begins = (most - low) / width
        # Each square root is taken only where it is real, so that gradients stay finite.
        below, p = jnp.asarray(p) < begins, jnp.asarray(p)
        rising = jnp.sqrt(jnp.where(below, p * width * (most - low), 1.0))
        falling = jnp.sqrt(jnp.where(below, 1.0, (1.0 - p) * width * (high - most)))
        return jnp.where(below, low + rising, high - falling)


def _shown(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:g}, {ends[1]:g}]"
