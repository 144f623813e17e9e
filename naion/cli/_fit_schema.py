"""The format of the files of `naion fit`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .._file_models import (
    Celsius,
    Chosen,
    Count,
    Expected,
    Numbers,
    Pair,
    Positive,
    PositivePair,
    Share,
    Strict,
    Tables,
    Text,
    Texts,
)
from ._of_cell import OfCell

Deviation = Annotated[
    float,
    Field(gt=0.0, allow_inf_nan=True),
    Expected("a standard deviation, a number above zero; inf for none"),
]
FromZero = Annotated[float, Field(ge=0.0), Expected("a number from zero")]
Exponent = Annotated[float, Field(ge=0.5, le=1.0), Expected("a number from 0.5 to 1")]
OneOrMore = Annotated[float | Numbers, Expected("a number, or a list of numbers")]
Charge = Annotated[float, Field(description="flowed since the cell was charged [A.h]")]

Words = Annotated[dict[str, str], Expected('words by quantity, {current = "..."}')]
Steps = Annotated[
    int | Annotated[list[int], Field(min_length=2, max_length=2)],
    Expected("the number of a step, or the first and the last: [2, 5]"),
]


class AnyTest(Strict):
    """What tests have in common."""

    name: Annotated[Text | None, Field(description="in reports")] = None
    temperature: Annotated[
        Celsius | None, Field(description="[degC]; else the data's, or the cell's")
    ] = None


class Measured(AnyTest):
    """A test from a table of measurements."""

    file: Annotated[
        Text,
        Field(description="CSV, relative to this file", examples=["discharge_1C.csv"]),
    ]
    sigma: Annotated[Positive, Field(description="standard deviation [V]")] = 0.01


class Recorded(Measured):
    """A test from a record of time, current and voltage, in any file that is read."""

    format: Annotated[
        Text | None, Field(description="whose labels the file has: naion data --help")
    ] = None
    columns: Annotated[
        Words | None, Field(description='labels, {current = "I_cell"}')
    ] = None
    units: Annotated[Words | None, Field(description='{current = "mA"}')] = None
    positive: Annotated[
        Literal["charge", "discharge", "state"] | None,
        Field(description="what a positive current of the file does"),
    ] = None
    sheet: Annotated[Text | None, Field(description="of a spreadsheet")] = None
    steps: Annotated[
        Steps | None,
        Field(description="of the file, as `naion data` counts them: one, or from, to"),
    ] = None
    compare: Annotated[
        list[Literal["voltage", "negative", "positive"]] | None,
        Field(
            description="voltage, and potentials of the electrodes against a reference; "
            "else all that the file has",
            min_length=1,
        ),
    ] = None


class Discharge(Recorded):
    """time_s, current_A, voltage_V at one current, from the charged state."""

    kind: Literal["discharge"]


class Started(Recorded):
    """A test under the measured current, from a start that is given."""

    soc: Annotated[Share | None, Field(description="state of charge at the start")] = (
        None
    )
    discharged: Charge | None = None

    @model_validator(mode="after")
    def _one_start(self) -> "Started":
        if self.soc is not None and self.discharged is not None:
            raise ValueError(
                f"soc = {self.soc:g} and discharged = {self.discharged:g}; give the start "
                "as one of these, not both."
            )
        return self


class Profile(Started):
    """V(t) under the measured current, rests included: drives, cycles, titrations."""

    kind: Literal["profile", "cycles", "gitt"]


class Charging(Started):
    """V(t) of a charge, and of the hold behind it; from the discharged state, if no start
    is given."""

    kind: Literal["charge"]


class Relaxation(Started):
    """V(t) while no current flows, after all that flowed before."""

    kind: Literal["relaxation"]


class Pulses(Started):
    """Resistances of all pulses from rest in a record."""

    kind: Literal["pulses"]
    times: Annotated[
        OneOrMore, Field(description="since each began [s]", examples=[[1.0, 10.0]])
    ]
    longest: Annotated[
        Positive, Field(description="what lasts longer is no pulse [s]")
    ] = 120.0


class Impedance(AnyTest):
    """Spectra of the full cell at rest, from a start that is given; of a file of several,
    the one that `spectrum` names."""

    kind: Literal["impedance"]
    file: Annotated[
        Text,
        Field(description="with frequency, Re and Im, or modulus and phase"),
    ]
    soc: Annotated[Share | None, Field(description="state of charge")] = None
    discharged: Charge | None = None
    columns: Annotated[
        Words | None,
        Field(description='labels, {frequency = "f", real = "Z1", imaginary = "Z2"}'),
    ] = None
    units: Annotated[
        Words | None,
        Field(description='{impedance = "mohm", phase = "rad"}; of an area "ohm.cm2"'),
    ] = None
    imaginary: Annotated[
        Literal["Im", "-Im"] | None,
        Field(
            description="what the column (or that of the phase) holds; else its label"
        ),
    ] = None
    sheet: Annotated[Text | None, Field(description="of a spreadsheet")] = None
    spectrum: Annotated[
        Count | None, Field(description="of a file of several, as `naion data` counts")
    ] = None
    frequencies: Annotated[
        PositivePair | None, Field(description="lowest and highest compared [Hz]")
    ] = None
    relative_sigma: Annotated[
        Positive, Field(description="standard deviation of both parts over |Z|")
    ] = 0.02
    floor: Annotated[
        FromZero, Field(description="standard deviation at least [ohm]")
    ] = 1e-5
    rig: Annotated[
        Text | None,
        Field(description="spectra of one have the same leads, see [[free]]; else all"),
    ] = None

    @model_validator(mode="after")
    def _has_a_start(self) -> "Impedance":
        if (self.soc is None) == (self.discharged is None):
            raise ValueError(
                "a spectrum needs the state of charge that it was measured at: give soc or "
                "discharged, one of them."
            )
        return self


class Segments(Measured):
    """segment, duration_s, current_A, loaded_V, rest_V."""

    kind: Literal["segments"]
    rest: Annotated[Positive, Field(description="after each segment [s]")] = 360.0


class Pulse(AnyTest):
    """Resistances of one pulse."""

    kind: Literal["pulse"]
    current: Annotated[float, Field(description="of the pulse [A]", examples=[1.5])]
    times: Annotated[
        OneOrMore, Field(description="since it began [s]", examples=[[1.0, 10.0]])
    ]
    resistance: Annotated[
        OneOrMore, Field(description="at these times [ohm]", examples=[[0.091, 0.1]])
    ]
    discharged: Charge = 0.0


Test = Annotated[
    Discharge | Charging | Profile | Relaxation | Pulses | Impedance | Segments | Pulse,
    Chosen("kind"),
]


class Free(Strict):
    """A number that is fitted, or several tied together."""

    path: Annotated[
        Texts,
        Field(
            description="in the cell, or the name of a number as `print(cell.keys())` has "
            "it, or a list of tied ones; or lead_resistance [ohm] and lead_inductance [H] "
            "of impedance tests",
            examples=["negative.particle.rate_constant.scale"],
        ),
    ]
    bounds: Annotated[Pair, Field(examples=[[0.05, 20.0]])]
    transform: Literal["log", "linear"] = "linear"
    prior: Annotated[Deviation | None, Field(description="transformed")] = None
    smooth: Annotated[
        Deviation | None, Field(description="of second differences of an array")
    ] = None


class Correction(Strict):
    """What is added to an open-circuit potential."""

    electrode: Literal["negative", "positive"]
    knots: Annotated[
        Numbers,
        Field(description="stoichiometries, rising", examples=[[0.4, 0.6, 0.8]]),
    ]
    prior: Annotated[Deviation, Field(description="of each knot [V]")] = 0.05
    smooth: Annotated[
        Deviation | None,
        Field(
            description="of second differences [V]; else 0.03, of three knots at least"
        ),
    ] = None


class FitFile(OfCell):
    """A fit."""

    double_layer: Annotated[
        Positive | None,
        Field(description="of the particles of both electrodes, for impedance [F.m-2]"),
    ] = None
    double_layer_exponent: Annotated[
        Exponent | None,
        Field(
            description="of both electrodes, below 1 a constant-phase element in "
            "impedance; else 1, a capacitor"
        ),
    ] = None
    data: Annotated[list[Test], Field(min_length=1), Tables]
    free: Annotated[list[Free], Tables] = []
    ocp_correction: Annotated[list[Correction], Tables] = []

    @model_validator(mode="after")
    def _something_is_free(self) -> "FitFile":
        if not self.free and not self.ocp_correction:
            raise ValueError("nothing is free; add [[free]] or [[ocp_correction]].")
        return self

    @model_validator(mode="after")
    def _exponent_of_a_layer(self) -> "FitFile":
        if self.double_layer_exponent is not None and self.double_layer is None:
            raise ValueError(
                f"double_layer_exponent = {self.double_layer_exponent:g} and no "
                "double_layer; give its capacitance, double_layer = 0.2 [F.m-2]."
            )
        return self
