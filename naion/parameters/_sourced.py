"""One number with where it is from, and how far off it may be."""

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
"""Level of a range of two standard deviations to either side."""

ALL = 5.0
"""Standard deviations between which all of a triangular number is drawn."""


@dataclass(frozen=True)
class Sourced:
    """A number of a parameter set, a design or a claim, and what is believed of it.

    Attributes:
        name: of the number; in a parameter set, the dotted path of the leaf in the `Cell`.
        value: the median of what is believed, in `unit`, and of a triangular number the
            most likely value; or a description of a table or an expression, of which a
            range is that of its dimensionless scale.
        unit: of `value`, "-" for none.
        quality: a key of `QUALITIES`.
        source: citation or reasoning.
        range: lowest and highest plausible value, which every assumed number has; none:
            the number is taken as it is.
        level: probability that the number lies in its range; of a triangular number,
            which ends there, it says nothing.
        bounds: beyond which it cannot be; none: two ranges from the value.
        distribution: of what is believed; none: lognormal where range and bounds are above
            zero, else normal. Triangular: from the low end of the range over the value to
            the high end, as price lists say it.
        follows: name of another number and the power of it that the range goes along with,
            where what is known is a ratio: of diffusivity and radius the diffusion time
            R^2 / D, so that the range of D follows the radius with the power 2.
        same_in_all: whether an assumed number is the same in all sets of its kind, by value
            or by rule, because nothing is known of each: it tells no chemistry from
            another.

    Raises:
        ValueError: for an unknown quality or distribution, an assumed number without a
            range, a range without its level, a range or bounds that do not hold the
            value, or a number that is the same in all sets and not assumed.
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
        """The value, which of a table or an expression is its scale.

        Of a triangular number it is not its most likely value.
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
        """Whether it lies between the ends of its range, most likely at the value."""
        return self.distribution == "triangular"

    @property
    def is_log(self) -> bool:
        """Whether it is the logarithm that is normal."""
        return self.distribution == "lognormal"

    @property
    def deviations(self) -> float:
        """Half of the range in standard deviations.

        Quantiles of the normal distribution to three decimals, as tables print them: 1.645
        for 90 %, 2 for 95.45 %.
        """
        return round(NormalDist().inv_cdf(0.5 + 0.5 * (self.level or 0.0)), 3)

    @property
    def sd(self) -> float:
        """Standard deviation, of the logarithm where that is normal; zero: no range."""
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
        """Beyond which it is not taken: its bounds, or two ranges from the value."""
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
        """Standard deviations from the value to both ends."""
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
        """The number `u` standard deviations from its median, inside its ends.

        Of a triangular number: what lies as far up its distribution as `u` does up the
        normal one.
        """
        if self.is_triangular:
            return self._quantile(norm.cdf(jnp.clip(u, *self.reach)))
        away = self.sd * jnp.clip(u, *self.reach)
        return self.median * jnp.exp(away) if self.is_log else self.median + away

    def _quantile(self, p: Array | float) -> Array:
        """Of the triangular distribution, where `p` is neither 0 nor 1."""
        assert self.range is not None
        low, high = self.range
        most, width = self._given, high - low
        if width == 0.0:
            return jnp.full(jnp.shape(p), low)
        begins = (most - low) / width
        # Each root is taken where it is real, so that slopes stay finite.
        below, p = jnp.asarray(p) < begins, jnp.asarray(p)
        rising = jnp.sqrt(jnp.where(below, p * width * (most - low), 1.0))
        falling = jnp.sqrt(jnp.where(below, 1.0, (1.0 - p) * width * (high - most)))
        return jnp.where(below, low + rising, high - falling)


def _shown(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:g}, {ends[1]:g}]"
