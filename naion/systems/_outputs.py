"""What is recorded along a solve."""

import enum
from typing import NamedTuple

from jaxtyping import Array


class Output(enum.IntEnum):
    """Place of each quantity in the record."""

    VOLTAGE = 0
    CURRENT = 1
    TEMPERATURE = 2
    CHARGE = 3
    ENERGY = 4
    PLATING_MARGIN = 5
    NEGATIVE_POTENTIAL = 6
    POSITIVE_POTENTIAL = 7


class Outputs(NamedTuple):
    """The recorded quantities, in the order of `Output`.

    Attributes:
        voltage: terminal voltage [V].
        current: positive on discharge [A].
        temperature: of the cell, the mean of its layers, or of a pack's cells [K].
        charge: discharged since the start [C].
        energy: delivered since the start [J].
        plating_margin: lowest potential of the negative electrode's surface against the
            metal, of the working electrode's in a half cell [V].
        negative_potential: of the negative electrode against a reference electrode in the
            separator; the mean of a cell's layers, or of a pack's cells [V].
        positive_potential: of the positive electrode; the difference of both is the
            voltage without the contacts' part of it [V].
    """

    voltage: Array
    current: Array
    temperature: Array
    charge: Array
    energy: Array
    plating_margin: Array
    negative_potential: Array
    positive_potential: Array


def outputs_in(values: Array) -> Outputs:
    """Quantities that lie along a last axis; what follows them there is left out."""
    return Outputs(*(values[..., output] for output in Output))
