"""The Kramers-Kronig test: what obeys the relations passes, what does not is told."""

import numpy as np
import pytest

import naion as na
from naion.fit import measured_impedance
from naion.io import kramers_kronig

F = np.geomspace(1e4, 1e-2, 37)


def spectra(f):
    """What cells show: arcs, depressed ones, tails of diffusion, leads."""
    s = 2j * np.pi * f
    arc = 0.01 + 0.02 / (1.0 + (s * 1e-2) ** 0.8)
    finite = np.sqrt(300.0 * s)
    return {
        "capacitor": 0.01 + 0.02 / (1.0 + s * 1e-2),
        "arc and tail": arc + 0.005 / np.sqrt(s) + 2e-7 * s,
        "two arcs": arc + 0.03 / (1.0 + (0.5 * s) ** 0.85) + np.tanh(finite) / finite,
        "leads with a skin": arc + 1e-6 * s**0.9,
    }


OBEY = list(spectra(F))


@pytest.mark.parametrize("name", OBEY)
@pytest.mark.parametrize("count", [19, 37, 121])
def test_what_obeys_passes_with_noise_too(name, count):
    f = np.geomspace(1e4, 1e-2, count)
    Z = spectra(f)[name]
    found = kramers_kronig(f, Z)
    assert found.worst[0] < 2e-3 and not found.is_violated
    rng = np.random.default_rng(3)
    for size in (0.003, 0.01, 0.03):
        noise = (
            size * np.abs(Z) * (rng.normal(size=count) + 1j * rng.normal(size=count))
        )
        noisy = kramers_kronig(f, Z + noise)
        assert not noisy.is_violated and 0.3 * size < noisy.rms < 1.3 * size
    # In any order and unit.
    turned = kramers_kronig(f[::-1], 1e3 * Z[::-1])
    np.testing.assert_allclose(turned.residual, found.residual, atol=1e-9)


@pytest.mark.parametrize("name", OBEY)
def test_what_changes_while_it_is_measured_is_told(name):
    """A tenth more when the lowest frequency is done, in proportion to time."""
    Z = spectra(F)[name]
    t = np.cumsum(1.0 / F)
    rng = np.random.default_rng(4)
    noise = 1e-3 * (rng.normal(size=len(F)) + 1j * rng.normal(size=len(F)))
    found = kramers_kronig(F, Z * (1.0 + 0.1 * t / t[-1] + noise))
    size, at = found.worst
    assert found.is_violated and 0.005 < size < 0.05 and at < 0.1
    # Parts that are swapped, turned, or in other units.
    for wrong in (np.conj(Z), Z.real + 1.2j * Z.imag, 1j * np.conj(Z)):
        assert kramers_kronig(F, wrong).is_violated


def test_few_frequencies_tell_nothing():
    assert kramers_kronig(F[:7], np.ones(7)) is None
    assert kramers_kronig(F[::4], spectra(F[::4])["capacitor"]) is None
    assert kramers_kronig(np.ones(20), np.ones(20)) is None
    with pytest.raises(ValueError, match="as many of each"):
        kramers_kronig(F, np.ones(3))
    for f, Z in ((-F, np.ones(37)), (F, np.zeros(37)), (F, np.full(37, np.nan))):
        with pytest.raises(ValueError, match="above zero"):
            kramers_kronig(f, Z)


def test_measured_spectra_are_tested():
    """A caution names frequency and size; without those frequencies there is none."""
    Z = spectra(F)["arc and tail"]
    assert "Kramers-Kronig residual 0.0" in measured_impedance("a", F, Z, 298.15).note
    t = np.cumsum(1.0 / F)
    drifting = Z * (1.0 + 0.3 * t / t[-1])
    with pytest.warns(
        na.Caution, match=r"b: .* violates .* % of \|Z\|.* around 0.0\d+ Hz"
    ):
        measured_impedance("b", F, drifting, 298.15)
    measured_impedance("b", F, drifting, 298.15, between=(1.0, 1e4))
