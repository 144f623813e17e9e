"""Material properties: a curve in composition, a law in temperature, a scale."""

from ._curves import (
    AbstractCurve,
    Constant,
    Corrected,
    Extrapolation,
    Interpolation,
    PiecewiseCubic,
    PowerExponential,
    PowerSeries,
    Table,
    TanhSum,
    Walled,
)
from ._expression import Expression
from ._landesfeind import (
    LandesfeindConductivity,
    LandesfeindDiffusivity,
    LandesfeindPolynomial,
)
from ._msmr import MSMR, WholeOfPart
from ._property import Property, constant, prepare
from ._temperature import (
    VTF,
    AbstractTemperatureLaw,
    Arrhenius,
    BeyondTests,
    Freezing,
    Invariant,
)

__all__ = [
    "MSMR",
    "VTF",
    "AbstractCurve",
    "AbstractTemperatureLaw",
    "Arrhenius",
    "BeyondTests",
    "Constant",
    "Corrected",
    "Expression",
    "Extrapolation",
    "Freezing",
    "Interpolation",
    "Invariant",
    "LandesfeindConductivity",
    "LandesfeindDiffusivity",
    "LandesfeindPolynomial",
    "PiecewiseCubic",
    "PowerExponential",
    "PowerSeries",
    "Property",
    "Table",
    "TanhSum",
    "Walled",
    "WholeOfPart",
    "constant",
    "prepare",
]
