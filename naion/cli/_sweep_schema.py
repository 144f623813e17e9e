"""The formats of the files of `naion sweep`."""

import math
import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .._file_models import (
    Celsius,
    Count,
    Expected,
    Numbers,
    Pair,
    Strict,
    Tables,
    Text,
    Texts,
)
from ..fit import AT_ONCE
from ..models import THERMAL
from ._of_cell import OfCell
from ._run import RTOL

MOST_LANES = 10_000_000
"""Numbers of a gigabyte; more take weeks."""

OWN = ("temperature", "soc")
"""Names that are not the protocol's."""

Tolerance = Annotated[
    float,
    Field(ge=RTOL[0], le=RTOL[1]),
    Expected(
        f"a number from {RTOL[0]:g} to {RTOL[1]:g}; the usual 5e-4 is half a millivolt a "
        "step"
    ),
]


class Vary(Strict):
    """What varies between lanes."""

    path: Annotated[
        Texts | None,
        Field(
            description="in the cell, or a list of tied paths",
            examples=["negative.particle.diffusivity.scale"],
        ),
    ] = None
    name: Annotated[
        Text | None,
        Field(description="in braces in the protocol; or temperature, or soc"),
    ] = None
    values: Numbers | None = None
    range: Pair | None = None
    spacing: Literal["linear", "log"] = "linear"
    count: Annotated[Count | None, Field(description="of a range in a grid")] = None

    @property
    def moved(self) -> list[str]:
        """Paths that are tied, or the one name."""
        if self.name is not None:
            return [self.name]
        return [self.path] if isinstance(self.path, str) else list(self.path or ())

    @property
    def title(self) -> str:
        """Its column."""
        return self.moved[0]

    @property
    def ends(self) -> list[float]:
        """The range, or all values."""
        return list(self.range or self.values or ())

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Vary":
        if (self.path is None) == (self.name is None) or (self.values is None) == (
            self.range is None
        ):
            raise ValueError(
                "needs either path or name, and either values or range; has "
                f"{', '.join(sorted(self.model_fields_set)) or 'none'}."
            )
        return self

    @model_validator(mode="after")
    def _is_all_used(self) -> "Vary":
        if self.values is not None:
            for key in ("count", "spacing"):
                if key in self.model_fields_set:
                    raise ValueError(
                        f"{key} = {getattr(self, key)!r} is of a range, and says nothing "
                        "of values. Take one of them away."
                    )
        return self

    @model_validator(mode="after")
    def _has_possible_ends(self) -> "Vary":
        if self.range and not self.range[0] < self.range[1]:
            raise ValueError(f"range = {self.ends} is not [low, high].")
        if self.spacing == "log" and min(self.ends) <= 0.0:
            raise ValueError(
                f"{min(self.ends):g}; log spacing needs values above zero."
            )
        twice = [x for x in self.values or () if self.ends.count(x) > 1]
        if twice:
            raise ValueError(f"values = {self.ends}: {twice[0]:g} stands there twice.")
        for x in self.ends:
            if self.name == "temperature" and not -100.0 < x < 150.0:
                raise ValueError(
                    f"{x:g} is not a temperature in degC between -100 and 150. Is it in "
                    "kelvin?"
                )
            if self.name == "soc" and not 0.0 <= x <= 1.0:
                raise ValueError(f"a state of charge of {x:g}; expected 0 to 1.")
        return self


class SweepFile(OfCell):
    """A sweep of parameters."""

    protocol: Annotated[
        Text | Annotated[list[Text], Field(min_length=1)],
        Field(examples=[["Discharge at {rate}C until 2.0 V"]]),
        Expected("a list of steps, such as ['Discharge at C/2 until 2.0 V']"),
    ]
    vary: Annotated[list[Vary], Field(min_length=1), Tables]
    start: Annotated[
        Text, Expected("charged, discharged, published, 'soc=0.8' or 'ocv=4.018'")
    ] = "charged"
    temperature: Annotated[Celsius | None, Field(description="[degC]")] = None
    thermal: Annotated[
        Literal[tuple(THERMAL)] | None,  # pyright: ignore[reportInvalidTypeForm]
        Field(description="else the cell's own"),
    ] = None
    rtol: Tolerance = 5e-4
    max_steps: Annotated[
        Count | None, Field(description="most steps of each lane; else by the protocol")
    ] = None
    chunk: Annotated[
        Count | None, Field(description="lanes computed and kept at once; else chosen")
    ] = None
    draws: Annotated[
        Count | None, Field(description="Latin hypercube of the ranges; else a grid")
    ] = None
    seed: Annotated[int, Field(ge=0), Expected("a whole number, 0 or more")] = 0

    @property
    def steps(self) -> list[str]:
        """Steps of the protocol."""
        return [self.protocol] if isinstance(self.protocol, str) else self.protocol

    @property
    def lanes(self) -> int:
        """Number of simulations."""
        points = (v.count if v.range else len(v.ends) for v in self.vary)
        return self.draws or math.prod(n or 1 for n in points)

    @model_validator(mode="after")
    def _has_lanes(self) -> "SweepFile":
        moved = [name for v in self.vary for name in v.moved]
        if len(set(moved)) < len(moved):
            raise ValueError(f"something varies twice: {', '.join(moved)}.")
        for v in self.vary:
            if v.range and v.count is None and self.draws is None:
                raise ValueError(
                    f"the range of {v.title} needs count, its points, or give draws for a "
                    "random sample of all ranges."
                )
        if self.lanes > MOST_LANES:
            asked = f"draws = {self.draws}" if self.draws else f"a grid of {self.lanes}"
            raise ValueError(f"{asked} lanes; expected at most {MOST_LANES:,}.")
        return self

    @model_validator(mode="after")
    def _is_all_used(self) -> "SweepFile":
        given = self.model_fields_set
        names = {v.name for v in self.vary}
        for key, name in (("temperature", "temperature"), ("start", "soc")):
            if key in given and name in names:
                raise ValueError(
                    f"{key} = {getattr(self, key)!r}, and {name} varies: give one of them."
                )
        if "seed" in given and self.draws is None:
            raise ValueError(f"seed = {self.seed} is of draws, and there are none.")
        counts = [v.title for v in self.vary if v.count is not None]
        if self.draws is not None and counts:
            raise ValueError(
                f"draws = {self.draws} are a random sample, and count of {counts[0]} is of "
                "a grid: give one of them."
            )
        return self

    @model_validator(mode="after")
    def _names_what_varies(self) -> "SweepFile":
        known = {v.name for v in self.vary if v.name is not None} - set(OWN)
        used = set(re.findall(r"\{(\w+)\}", " ".join(self.steps)))
        if used != known:
            raise ValueError(
                f"the protocol has {sorted(used) or 'no names'} in braces, but "
                f"{sorted(known) or 'none'} vary by name (besides {', '.join(OWN)})."
            )
        return self


class FleetFile(Strict):
    """Fits of many cells."""

    fit: Annotated[
        Text,
        Field(
            description="a TOML template as for `naion fit`; texts may hold {columns}",
            examples=["fit.toml"],
        ),
        Expected("a text, the name of a TOML template"),
    ]
    cells: Annotated[
        Text,
        Field(
            description="a CSV with a row for each cell; name and other columns",
            examples=["cells.csv"],
        ),
        Expected("a text, the name of a CSV with a row for each cell"),
    ]
    at_once: Annotated[Count, Field(description="fits under way at the same time")] = (
        AT_ONCE
    )
    max_evaluations: Annotated[Count, Field(description="of each fit")] = 30
