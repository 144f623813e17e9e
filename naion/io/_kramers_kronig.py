"""Test whether a measured impedance is that of a linear, causal and stationary system."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Fewest frequencies of a test: fewer can be described by any few elements."""

NEIGHBOURS = 5
"""Number of neighbouring frequencies over which residuals are averaged: noise changes its
sign from one frequency to the next, drift does not."""

VIOLATED = 0.005
"""Mean residual over |Z| from which a spectrum violates the relations. A cell of which a
tenth has changed by the time of the lowest frequency shows this much."""

PER_DECADE = 4
"""Elements for each decade of frequency. They describe arcs, diffusion tails and leads of
any exponent to 0.2 % of |Z| (`tests/unit/test_kramers_kronig.py`)."""

LEAST_PER_DECADE = 1.8
"""Fewest elements for each decade with which single arcs can be described."""

BY_CHANCE = 5.0
"""Mean residuals below this many standard deviations of the noise count as noise."""

OF_STEPS = 2.0 * np.sqrt(np.log(2.0))
"""Median modulus of the difference of two complex numbers, over the standard deviation of
their parts: sqrt(2) times that of Rayleigh's distribution, sqrt(2 ln 2)."""


class KramersKronig(NamedTuple):
    """How far a spectrum is from one that obeys the Kramers-Kronig relations.

    Attributes:
        frequency: frequencies, the highest first, (n,) [Hz].
        residual: measured impedance minus the nearest one that obeys the relations, over
            |Z|, complex, (n,).
        elements: number of resistances beside capacitors that were used.
    """

    frequency: NDArray[np.float64]
    residual: NDArray[np.complex128]
    elements: int

    @property
    def rms(self) -> float:
        """Root mean square of the residuals of both parts, noise included."""
        return float(np.sqrt(np.mean(np.abs(self.residual) ** 2) / 2.0))

    @property
    def worst(self) -> tuple[float, float]:
        """Largest mean residual of neighbouring frequencies, and its frequency [Hz].

        The mean lowers the noise of independent points to less than half.
        """
        width = np.ones(NEIGHBOURS) / NEIGHBOURS
        means = np.convolve(self.residual, width, "valid")
        k = int(np.argmax(np.abs(means)))
        return float(np.abs(means[k])), float(self.frequency[k + NEIGHBOURS // 2])

    @property
    def is_violated(self) -> bool:
        """Whether the spectrum violates the relations by more than its noise."""
        # Changes from one frequency to the next are noise; the median ignores outliers.
        steps = np.abs(np.diff(self.residual))
        noise = float(np.median(steps)) / OF_STEPS
        return self.worst[0] > max(VIOLATED, BY_CHANCE * noise / np.sqrt(NEIGHBOURS))

    @property
    def violation(self) -> str:
        """Where and by how much the spectrum violates the relations; empty if it does not."""
        if not self.is_violated:
            return ""
        size, at = self.worst
        return (
            "violates the Kramers-Kronig relations: it is "
            f"{100.0 * size:.2g} % of |Z| from all that obey them, most around {at:.2g} Hz. "
            "Did the cell change while it was measured (no rest before, another "
            "temperature), was the amplitude too large, or is the instrument at its limit?"
        )


def kramers_kronig(frequency: Any, impedance: Any) -> KramersKronig | None:
    """The linear Kramers-Kronig test of a measured spectrum.

    Resistances R_k beside capacitors, whose sum obeys the relations whatever the R_k, are
    fitted by linear least squares to both parts, weighted by |Z|:

        Z = R_0 + i omega L + 1/(i omega C) + sum_k R_k/(1 + i omega tau_k)

    with four tau_k in each decade of the frequencies (fewer where there are few
    frequencies). A spectrum that cannot be described in this way comes from a cell that
    changed while it was measured, from an amplitude that was too large to be linear, or
    from the instrument.

    References: Boukamp, J. Electrochem. Soc. 142 (1995) 1885, DOI 10.1149/1.2044210;
    Schoenleber, Klotz and Ivers-Tiffee, Electrochim. Acta 131 (2014) 20, DOI
    10.1016/j.electacta.2014.01.034.

    Args:
        frequency: positive frequencies in any order, (n,) [Hz].
        impedance: complex Re + i Im, finite and not zero, in any unit, (n,).

    Returns:
        the result; none for fewer than eight different frequencies, or fewer than about
        two in each decade, which do not tell.

    Raises:
        ValueError: for other shapes or numbers.
    """
    f = np.asarray(frequency, float)
    Z = np.asarray(impedance, np.complex128)
    if f.ndim != 1 or f.shape != Z.shape:
        raise ValueError(
            f"frequencies of shape {f.shape} and impedances of shape {Z.shape}; expected "
            "as many of each, (n,)."
        )
    if not (np.all(np.isfinite(f) & (f > 0.0)) and np.all(np.isfinite(Z) & (Z != 0.0))):
        raise ValueError(
            "frequencies must be above zero, impedances finite and not zero."
        )
    if np.unique(f).size < FEWEST:
        return None
    order = np.argsort(-f, kind="stable")
    f, Z = f[order], Z[order]
    omega, size = 2.0 * np.pi * f, np.abs(Z)
    decades = float(np.log10(f[0] / f[-1]))
    count = min(round(PER_DECADE * decades) + 1, np.unique(f).size - 3)
    if count - 1 < LEAST_PER_DECADE * decades:
        return None
    tau = np.geomspace(1.0 / omega[0], 1.0 / omega[-1], count)
    found = _fitted(omega, Z, size, tau)
    return KramersKronig(f, (Z - found) / size, count)


def _fitted(
    omega: np.ndarray, Z: np.ndarray, size: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """The impedance of the sum of elements that is nearest to a spectrum, (n,)."""
    s = 1j * omega[:, None]
    # Scaled such that each element is about one somewhere in the spectrum.
    rest = np.hstack([np.ones_like(s), s / omega[0], omega[-1] / s])
    columns = np.hstack([1.0 / (1.0 + s * tau), rest]) / size[:, None]
    A = np.vstack([columns.real, columns.imag])
    b = np.concatenate([(Z / size).real, (Z / size).imag])
    found = np.linalg.lstsq(A, b, rcond=None)[0]
    return (columns @ found) * size
