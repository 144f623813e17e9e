"""Whether the parts of a measured impedance belong to one linear, steady, causal system."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Frequencies at least: fewer are described by any few elements."""

NEIGHBOURS = 5
"""Over so many neighbouring frequencies residuals are averaged: noise, unlike drift,
changes its sign from one to the next."""

VIOLATED = 0.005
"""Mean residual over |Z| from which a spectrum is said to violate the relations: that of a
cell of which a tenth has changed when the lowest of its frequencies is measured."""

PER_DECADE = 4
"""Elements in a decade of frequency; arcs, tails of diffusion and leads of any exponent are
so described to 0.2 % of |Z| (`tests/unit/test_kramers_kronig.py`)."""

LEAST_PER_DECADE = 1.8
"""With fewer, as spectra of few frequencies have, single arcs are not described."""

BY_CHANCE = 5.0
"""Standard deviations of its noise that a mean residual may have."""

OF_STEPS = 2.0 * np.sqrt(np.log(2.0))
"""Median modulus of the difference of two complex numbers, over the standard deviation of
their parts: sqrt(2) times that of Rayleigh's distribution, sqrt(2 ln 2)."""


class KramersKronig(NamedTuple):
    """How far a spectrum is from what obeys the Kramers-Kronig relations.

    Attributes:
        frequency: every frequency, the highest first, (n,) [Hz].
        residual: measured minus nearest that obeys, both parts over |Z|, complex, (n,).
        elements: resistances beside capacitors that were needed.
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
        """Largest mean residual of neighbouring frequencies, and where it is [Hz].

        Noise of independent points is in it with less than half its size.
        """
        width = np.ones(NEIGHBOURS) / NEIGHBOURS
        means = np.convolve(self.residual, width, "valid")
        k = int(np.argmax(np.abs(means)))
        return float(np.abs(means[k])), float(self.frequency[k + NEIGHBOURS // 2])

    @property
    def is_violated(self) -> bool:
        """Whether more than noise is wrong with the spectrum."""
        # What changes from one frequency to the next is noise; a median, as some are worse.
        steps = np.abs(np.diff(self.residual))
        noise = float(np.median(steps)) / OF_STEPS
        return self.worst[0] > max(VIOLATED, BY_CHANCE * noise / np.sqrt(NEIGHBOURS))


def kramers_kronig(frequency: Any, impedance: Any) -> KramersKronig | None:
    """The linear Kramers-Kronig test of a measured spectrum.

    Resistances R_k beside capacitors, whose sum obeys the relations whatever the R_k, are
    fitted by linear least squares to both parts, weighted by |Z|:

        Z = R_0 + i omega L + 1/(i omega C) + sum_k R_k/(1 + i omega tau_k)

    with four tau_k in each decade of the frequencies (fewer where there are few
    frequencies). What cannot be described so has changed while it was measured, was not
    small enough to be linear, or is of the instrument.

    References: Boukamp, J. Electrochem. Soc. 142 (1995) 1885, DOI 10.1149/1.2044210;
    Schoenleber, Klotz and Ivers-Tiffee, Electrochim. Acta 131 (2014) 20, DOI
    10.1016/j.electacta.2014.01.034.

    Args:
        frequency: in any order, above zero, (n,) [Hz].
        impedance: Re + i Im, finite and not zero, (n,), in any unit.

    Returns:
        the test; none for fewer than eight different frequencies, or for less than about
        two in each decade, which tell nothing.

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
    """The nearest sum of elements."""
    s = 1j * omega[:, None]
    # In units of which each is about one somewhere in the spectrum.
    rest = np.hstack([np.ones_like(s), s / omega[0], omega[-1] / s])
    columns = np.hstack([1.0 / (1.0 + s * tau), rest]) / size[:, None]
    A = np.vstack([columns.real, columns.imag])
    b = np.concatenate([(Z / size).real, (Z / size).imag])
    found = np.linalg.lstsq(A, b, rcond=None)[0]
    return (columns @ found) * size
