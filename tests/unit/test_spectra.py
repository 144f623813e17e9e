"""Impedance spectra from files: whatever labels, units and signs they have."""

import numpy as np
import pytest

import naion as na
from naion.io import has_spectra, looks_upside_down, read_spectra

F = np.geomspace(1e4, 1e-2, 7)
Z = 0.04 + 0.05 / (1.0 + 1j * F / 10.0) + 1e-3 / np.sqrt(1j * F)
PHASE = np.angle(Z, deg=True)


def table(*columns, between=",") -> str:
    return "".join(
        between.join(f"{v:.12g}" for v in row) + "\n"
        for row in zip(*columns, strict=True)
    )


BIOLOGIC = (
    "EC-Lab ASCII FILE\nNb header lines : 4\n\n"
    "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\t|Z|/Ohm\tPhase(Z)/deg\t<Ewe>/V\tcycle number\n"
    + table(F, Z.real, -Z.imag, abs(Z), PHASE, 3.2 + 0 * F, 1 + 0 * F, between="\t")
    + table(F, Z.real, -Z.imag, abs(Z), PHASE, 3.4 + 0 * F, 2 + 0 * F, between="\t")
    + table(*np.zeros((7, 1)), between="\t")
).replace(".", ",")
GAMRY = (
    "EXPLAIN\nTAG\tEISPOT\nZCURVE\tTABLE\n"
    "\tPt\tTime\tFreq\tZreal\tZimag\tZmod\tZphz\tVdc\n"
    "\t#\ts\tHz\tohm\tohm\tohm\t°\tV\n"
    + "".join(
        f"\t{row}\n"
        for row in table(
            np.arange(7), F, F, Z.real, Z.imag, abs(Z), PHASE, 3.2 + 0 * F, between="\t"
        ).splitlines()
    )
)
AUTOLAB = "Frequency (Hz),Z' (Ω),-Z'' (Ω),Z (Ω),-Phase (°)\n" + table(
    F, Z.real, -Z.imag, abs(Z), -PHASE
)
OWN = "frequency_Hz,real_mohm,imaginary_mohm,temperature_degC\n" + table(
    F, 1e3 * Z.real, 1e3 * Z.imag, 15 + 0 * F
)


@pytest.mark.parametrize(
    ("text", "count", "voltage", "warm"),
    [
        (BIOLOGIC, 2, 3.2, np.nan),
        (GAMRY, 1, 3.2, np.nan),
        (AUTOLAB, 1, np.nan, np.nan),
        (OWN, 1, np.nan, 15.0),
    ],
    ids=["biologic", "gamry", "autolab", "naion"],
)
def test_layouts(text, count, voltage, warm, tmp_path):
    path = tmp_path / "eis.txt"
    path.write_text(text, encoding="utf-8")
    assert has_spectra(path)
    with pytest.warns(na.Caution, match="frequency"):
        found = read_spectra(path)
    assert len(found) == count
    for one in found:
        np.testing.assert_allclose(one.frequency, F, rtol=1e-10)
        np.testing.assert_allclose(one.impedance, Z, rtol=1e-10)
        assert not one.per_area and not looks_upside_down(F, one.impedance)
    assert found[0].temperature == pytest.approx(warm, nan_ok=True)
    assert found[0].voltage == pytest.approx(voltage, nan_ok=True)


def test_a_record_is_no_spectrum(tmp_path):
    path = tmp_path / "record.csv"
    path.write_text("time_s,current_A,voltage_V\n0,1,3\n1,1,3\n")
    assert not has_spectra(path)
    with pytest.raises(ValueError, match="no column of frequency, real, imaginary"):
        read_spectra(path)


@pytest.mark.filterwarnings("ignore::naion.Caution")
@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "a b c\n" + table(F, 1e3 * Z.real, -1e3 * Z.imag, between=" "),
            {"units": {"impedance": "mohm"}, "imaginary": "-Im"}
            | {"columns": {"frequency": "a", "real": "b", "imaginary": "c"}},
        ),
        (
            "f / kHz;|Z| [ohm cm²];theta\n"
            + table(F / 1e3, 1e4 * abs(Z), np.deg2rad(PHASE), between=";"),
            {"units": {"phase": "rad"}},
        ),
        (
            "omega,Re,Im,-Im(Z)\n"
            + table(2.0 * np.pi * F, 1e-3 * Z.real, Z.imag, Z.imag),
            {"columns": {"frequency": "omega"}, "imaginary": "Im"}
            | {"units": {"frequency": "rad/s", "real": "kΩ"}},
        ),
    ],
    ids=["mapped", "modulus of an area", "angular"],
)
def test_units_signs_and_mappings(text, asked, tmp_path):
    path = tmp_path / "eis.csv"
    path.write_text(text, encoding="utf-8")
    (one,) = read_spectra(path, **asked)
    np.testing.assert_allclose(one.frequency, F, rtol=1e-10)
    np.testing.assert_allclose(one.in_ohm(1.0), Z, rtol=1e-10)
    assert one.per_area == ("cm²" in text)


@pytest.mark.parametrize(
    ("text", "asked", "said"),
    [
        ("", {}, "empty"),
        ("frequency_Hz,real_ohm,imaginary_ohm\n", {}, "0 rows below the header"),
        (
            "frequency_Hz,real_ohm,imaginary_ohm\n2,1,0\n-1,1,0\n",
            {},
            "row 3: frequency",
        ),
        (
            "frequency_Hz,real_ohm,imaginary_ohm\n2,1,0\n1,,0\n",
            {},
            "row 3: real is empty",
        ),
        ("frequency_Hz,real_ohm,imaginary_ohm\n2,1,0\n1,1,x\n", {}, "row 3: imaginary"),
        ("frequency_Hz,modulus_ohm,phase_deg\n2,1,0\n1,-1,0\n", {}, "below zero"),
        (OWN, {"units": {"real": "mV"}}, "'mV' is none of real; expected ohm, mohm"),
        (OWN, {"units": {"imaginary": "ohm.m2"}}, "of different kinds"),
        (OWN, {"columns": {"real": "real_ohm"}}, "Did you mean 'real_mohm'"),
        (OWN, {"columns": {"imag": "x"}}, "Did you mean 'imaginary'"),
        (OWN, {"imaginary": "minus"}, "'Im' .* or '-Im'"),
        (OWN.replace(",15\n", ",298\n"), {}, "row 2: 298 degC .* is it in kelvin"),
        (
            OWN.replace("_degC", "_K"),
            {},
            "row 2: -258.15 degC .* is it in degrees Celsius",
        ),
        (
            "frequency_Hz,real_ohm,real_ohm,imaginary_ohm\n2,1,2,0\n1,1,2,0\n",
            {},
            "'real_ohm' stands 2 times; which one is the real",
        ),
        (
            OWN,
            {"columns": {"frequency": "real_mohm"}},
            "frequency and real are one col",
        ),
        (OWN, {"sheet": "1"}, "sheet = '1' is of a spreadsheet"),
    ],
)
def test_what_is_wrong_is_said(text, asked, said, tmp_path):
    path = tmp_path / "eis.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_spectra(path, **asked)


def test_phases_in_radians_are_noticed(tmp_path):
    path = tmp_path / "eis.csv"
    path.write_text(
        "frequency_Hz,modulus_ohm,phase_deg\n" + table(F, abs(Z), np.angle(Z))
    )
    with pytest.warns(na.Caution, match='units = {phase = "rad"}'):
        read_spectra(path)
