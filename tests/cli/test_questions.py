"""Questions of claims: in words, with examples, and those of power and storage."""

from importlib import resources

import jax.numpy as jnp
import numpy as np
import pytest

import naion as na
from naion import claims
from naion.claims import QUESTIONS, _storage
from naion.claims._product import Made
from naion.claims._runs import USUAL
from naion.claims._words import ASKS, NUMBERS
from naion.cli import main
from naion.comparison import cycle

PASSIVE = {
    "rate": 0.25,
    "temperature_degC": 45.0,
    "kept_at_degC": 25.0,
    "cooling": 0.5,
    "heat_pump": 4.0,
    "envelope_percent": 1.0,
    "moving_percent": 1.5,
    "controls_percent": 0.25,
}


def test_every_question_has_words_and_an_example(tmp_path, capsys):
    """The examples are a file of claims: one that a user copies is understood."""
    file = tmp_path / "examples.toml"
    file.write_text(claims.examples())
    found = claims.load(file)
    assert [c.name for c in found] == list(QUESTIONS) == list(ASKS)
    for claim in found:
        assert {r.question for r in claim.readings} == {claim.name}
        assert claims.example(claim.name).startswith(f"[claim.{claim.name}]\n")
    given = {n for question in QUESTIONS.values() for n in question.numbers}
    assert given == set(NUMBERS)
    with pytest.raises(SystemExit) as ended:
        main(["claims", "--questions", "charge"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "from_percent           state of charge to begin with [%]; else 0" in said
    assert said.count("[[claim.charge.reading]]") == 1 and "crank" not in said
    with pytest.raises(KeyError, match="No question 'speed'. There are: energy"):
        claims.in_words("speed")
    assert resources.files("naion.claims").joinpath("examples.toml").is_file()


@pytest.mark.parametrize(
    "question, old, new, text",
    [
        ("retention", "= -20", "= 253.15", "253.15: expected degC .* Is it in kelvin?"),
        (
            "efficiency",
            "rate = 0.25",
            "rate = 0.0",
            "rate = 0.0: expected a number above",
        ),
        (
            "passive_cooling",
            "cooling = {",
            "cooling = -1.0 # {",
            "cooling = -1.0: expect",
        ),
        ("passive_cooling", "[0.15, 0.8]", "[-0.15, 0.8]", "cooling.*above zero"),
        (
            "mix",
            "share = 0.33",
            "share = 33.0",
            "sodium_share = 33.0: expected a share",
        ),
        ("charge", "percent = 10.0", "percent = 110.0", "expected 0 to 100 percent"),
    ],
)
def test_numbers_that_no_question_can_have(tmp_path, question, old, new, text):
    given = claims.example(question)
    assert old in given
    (tmp_path / "mine.toml").write_text(given.replace(old, new))
    with pytest.raises(ValueError, match=text):
        claims.load(tmp_path / "mine.toml")


def test_a_cell_has_the_power_of_itself_and_more_down_to_its_limit():
    cell = na.load("nfm_hc_18650")
    twice = Made(cell, None), Made(cell, None)
    numbers = {"temperature_degC": -20.0, "soc": 0.5, "seconds": 10.0}

    def asked(drop):
        given = {k: jnp.asarray(x) for k, x in (numbers | {"drop_V": drop}).items()}
        return np.asarray(QUESTIONS["power_beside"].ask(twice, given, USUAL))

    usual, all_of_it, more = asked(0.5), asked(9.0), asked(99.0)
    np.testing.assert_allclose(usual[:2], 100.0, rtol=1e-9)
    assert all_of_it[2] > 1.5 * usual[2] > 0.0
    np.testing.assert_array_equal(all_of_it, more)


def test_auxiliaries_with_and_without_cooling(monkeypatch):
    """By hand: q = 1/0.95 - 1 and 1/0.9 - 1; a = 0.25 + 1.5 + (q + 1)/4."""
    turned = iter([(jnp.asarray(0.95), jnp.asarray(6.0)), (jnp.asarray(0.9), 0.0)])
    monkeypatch.setattr(_storage, "_turned", lambda *given: next(turned))
    found = _storage.passive_cooling((None, None), PASSIVE, USUAL)  # pyright: ignore[reportArgumentType]
    q, of_other = 100.0 * (1.0 / 0.95 - 1.0), 100.0 * (1.0 / 0.9 - 1.0)
    a = 0.25 + 1.5 + (of_other + 1.0) / 4.0
    expected = [51.0, 100.0 * (1.0 - 0.25 / a), a, q, of_other]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_cycle_at_other_rates_and_with_less_cooling():
    """Slower is more efficient and cooler; what is not cooled gets warmer."""
    cell, made = na.load("nfm_hc_18650"), []
    for rate, cooling in ((1.0, 1.0), (0.25, 1.0), (1.0, 0.2)):
        numbers = {"rate": jnp.asarray(rate), "temperature_degC": 25.0}
        numbers |= {"cooling": cooling, "converter": 0.97, "auxiliary_percent": 2.0}
        setting = USUAL._replace(heat="lumped")
        ask = QUESTIONS["efficiency"].ask
        made.append(np.asarray(ask((Made(cell, None),), numbers, setting)))  # pyright: ignore[reportArgumentType]
    (usual, slow, wrapped) = made
    assert 85.0 < usual[0] < slow[0] < 99.0
    assert 25.0 < slow[2] < usual[2] < wrapped[2] < 60.0
    np.testing.assert_allclose(usual[1], usual[0] * 0.97**2 * 0.98, rtol=1e-9)
    # As the comparison of cells has it.
    np.testing.assert_allclose(
        np.asarray(cycle(cell, USUAL.mesh, rtol=USUAL.rtol))[0],
        0.01 * usual[0],
        rtol=1e-6,
    )
