"""What questions ask and what their numbers are, in words, with a worked example each."""

import tomllib
from collections.abc import Mapping
from importlib import resources

import numpy as np

from .._takes import takes
from ._questions import QUESTIONS

ASKS: Mapping[str, str] = {
    "energy": "How much energy a cell has for its mass and volume, discharged at one rate.",
    "sheet": "The same by the energy model of a design alone, at a mean voltage that is "
    "given: where no curve is public.",
    "energy_beside": "Energy for the mass beside that of a second product.",
    "retention": "How much of its capacity, energy and mean power at 25 degC a cell keeps "
    "at another temperature, at the same rate.",
    "pulse_power": "Power after some seconds at a voltage that is a given drop below rest, "
    "beside the same at 25 degC.",
    "power_beside": "Discharge power beside a second product at one temperature, for the "
    "same energy and for the same mass; no cell goes below its lower limit or half of its "
    "upper one. With a drop larger than any, both are held there.",
    "efficiency": "Energy efficiency of a full cycle at one rate, by the cell's voltage "
    "and of a system around it, and how warm the cell gets.",
    "passive_cooling": "How warm a cell gets that is not cooled, in warm surroundings, and "
    "how much auxiliary energy that saves beside a second product that is kept cool.",
    "charge": "How full a cell is after some minutes at a current that only the upper "
    "voltage limit lowers, and how far its anode stays from plating; heated first if asked.",
    "crank": "The lowest voltage of cells in series under a current for some seconds.",
    "range": "How far a car drives with a pack of a product's cells.",
    "mix": "Energy of a pack that mixes sodium and lithium cells, in series and behind "
    "converters, in the cold.",
    "mix_power": "Power of sodium and lithium strings behind converters, beside lithium "
    "alone of the same mass.",
    "gauge": "State of charge that an error of the rested voltage leaves open, with sodium "
    "cells in the series and without.",
    "life": "Cycles to an end of life, capacity left after years, and fade beside LFP: a "
    "law of a few numbers, each of which may be uncertain.",
    "fade": "Cycles to an end of life by one measured loss and an exponent.",
    "cost": "What a kilowatt-hour of a design's cells costs to make.",
    "cost_beside": "The same beside a second design, at the same prices.",
    "consistency": "Whether the numbers of a data sheet agree with one another.",
}
"""By question."""

NUMBERS: Mapping[str, str] = {
    "rate": "C-rate [1/h]",
    "temperature_degC": "of the cell; with a heat balance of what is around it",
    "voltage": "mean voltage [V]",
    "soc": "state of charge to begin with, 0 to 1",
    "drop_V": "below the rested voltage [V]",
    "seconds": "how long [s]",
    "cooling": "share of the cooling that the whole surface of the cell would give",
    "converter": "efficiency of converter and transformer, each way",
    "auxiliary_percent": "auxiliaries [% of what is given]",
    "kept_at_degC": "temperature of the cooled product",
    "heat_pump": "heat taken out for each unit of electricity",
    "envelope_percent": "heat that comes in through the container [% of what is given]",
    "moving_percent": "pumps and fans of the cooled one [% of what is given]",
    "controls_percent": "controls of both [% of what is given]",
    "minutes": "how long [min]",
    "from_percent": "state of charge to begin with [%]",
    "heated_to_degC": "temperature to begin with, where that is warmer",
    "cells": "in series",
    "pack_mass_kg": "mass of the pack [kg]",
    "cells_share": "of the pack's mass, that is cells",
    "usable": "share of the energy that is used",
    "consumption_kWh_100km": "at the battery [kWh/100 km]",
    "sodium_share": "of the cells, that are sodium cells",
    "efficiency": "of the converters",
    "error_mV": "error of the rested voltage [mV]",
    "loss_percent": "measured loss of capacity; in a life after 1604 full cycles at 1C and "
    "25 degC [%]",
    "energy_kJ": "activation energy of that loss [kJ/mol]",
    "exponent": "of the number of cycles",
    "middle": "share of the loss that is left without the window's ends",
    "calendar_percent": "loss by time alone after a year at 25 degC; grows with the root [%]",
    "calendar_energy_kJ": "activation energy of that loss [kJ/mol]",
    "ends_percent": "share of the ends' loss that the window keeps; 100 for the full one",
    "depth_percent": "of a cycle [%]",
    "rate_factor": "factor on the loss for another rate than 1C",
    "chemistry": "factor on the loss for another chemistry",
    "beyond": "factor on the loss for going beyond the data",
    "per_day": "cycles a day",
    "end_percent": "capacity left at the end of life [%]",
    "years": "in use",
    "measured_cycles": "after which the loss was measured",
    "lithium_carbonate": "price without tax [USD/kg]; none: that of the list",
    "exchange": "of currencies [CNY/USD]",
    "capacity_Ah": "as stated [Ah]",
    "voltage_V": "nominal, as stated [V]",
    "energy_Wh": "as stated [Wh]",
    "pack_kWh": "energy of the pack, as stated [kWh]",
    "pack_cells_kg": "mass of the pack's cells, as stated [kg]",
    "cell_Wh_kg": "of the cells, as stated [Wh/kg]",
    "units_per_GWh": "as stated",
    "unit_kWh": "energy of a unit, as stated [kWh]",
    "unit_t": "mass of a unit, as stated [t]",
}
"""By name; one that several questions have means the same in all."""


@takes
def example(question: str) -> str:
    """A claim that asks a question, as it stands in a file of claims.

    Args:
        question: a key of `QUESTIONS`.

    Raises:
        KeyError: for no question, with those that there are.
    """
    found = _examples().get(_known(question))
    assert found is not None, "tests hold an example for every question"
    return found


POSITIVE = (
    *("rate", "voltage", "seconds", "minutes", "cells", "pack_mass_kg"),
    *("heat_pump", "consumption_kWh_100km", "loss_percent", "exponent", "per_day"),
    *("measured_cycles", "exchange", "years", "capacity_Ah", "voltage_V", "energy_Wh"),
    *("pack_kWh", "pack_cells_kg", "cell_Wh_kg", "units_per_GWh", "unit_kWh", "unit_t"),
)
SHARES = ("soc", "cells_share", "usable", "sodium_share", "efficiency", "converter")
PERCENT = ("from_percent", "ends_percent", "depth_percent", "end_percent")
NOT_NEGATIVE = (
    *("drop_V", "cooling", "error_mV", "lithium_carbonate", "middle"),
    *("auxiliary_percent", "envelope_percent", "moving_percent", "controls_percent"),
    *("calendar_percent", "rate_factor", "chemistry", "beyond"),
)
CELSIUS = ("temperature_degC", "kept_at_degC", "heated_to_degC")


def wrong(name: str, value: float) -> str:
    """What a number of a question should be instead, or "" where it may be that.

    Args:
        name: of the number.
        value: that a reading gives.
    """
    checks = (
        (POSITIVE, value > 0.0, "a number above 0"),
        (SHARES, 0.0 <= value <= 1.0, "a share from 0 to 1"),
        (PERCENT, 0.0 <= value <= 100.0, "0 to 100 percent"),
        (NOT_NEGATIVE, value >= 0.0, "a number of at least 0"),
        (
            CELSIUS,
            -100.0 <= value < 150.0,
            "degC between -100 and 150. Is it in kelvin?",
        ),
    )
    for names, fits, words in checks:
        if name in names and not fits:
            return words
    return ""


@takes
def asks(question: str) -> str:
    """What a question asks, in a sentence or two.

    Args:
        question: a key of `QUESTIONS`.

    Raises:
        KeyError: for no question, with those that there are.
    """
    return ASKS[_known(question)]


def examples() -> str:
    """A whole file of claims with an example of every question."""
    return resources.files("naion.claims").joinpath("examples.toml").read_text("utf-8")


@takes
def in_words(question: str) -> str:
    """What a question asks, its numbers, what it gives, and an example.

    Args:
        question: a key of `QUESTIONS`.

    Raises:
        KeyError: for no question, with those that there are.
    """
    asked = QUESTIONS[_known(question)]
    about = "two products, about and beside" if asked.of_two else "a product"
    about = about if asked.simulates else "no product"
    about += ", each with a design" if asked.of_design and asked.of_two else ""
    about += " with a design" if asked.of_design and not asked.of_two else ""
    lines = [f"{question}: {ASKS[question]}", f"  asked of {about}"]
    lines += [f"  {name:22s} {text}" for name, text in numbers_of(question)]
    lines += [f"  gives {name} [{unit}]" for name, unit in asked.quantities]
    return "\n".join([*lines, "", example(question)])


@takes
def numbers_of(question: str) -> list[tuple[str, str]]:
    """Names of a question's numbers; what each is, and its value where it is left out."""
    found = []
    for name, usual in QUESTIONS[_known(question)].numbers.items():
        if usual is None:
            value = "must be given"
        else:
            value = "may be left out" if np.isnan(usual) else f"else {usual:.4g}"
        found.append((name, f"{NUMBERS[name]}; {value}"))
    return found


def _known(question: str) -> str:
    if question not in QUESTIONS:
        raise KeyError(f"No question {question!r}. There are: {', '.join(QUESTIONS)}.")
    return question


def _examples() -> dict[str, str]:
    """Texts of the claims of the file, by the question of their first reading."""
    found = {}
    for part in examples().split("\n[claim.")[1:]:
        text = "[claim." + part.rstrip() + "\n"
        (claim,) = tomllib.loads(text)["claim"].values()
        found[claim["reading"][0]["question"]] = text
    return found
