"""The tests that a cell was fitted to: kept with the cell, and repeated on it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..models import DFN
from ..parameters import Cell, Role
from ..protocol import Protocol
from ._evaluate import seen_in
from ._experiment import Experiment, Kind, Observations
from ._free import RIGHT, Specimen

RTOL = 5e-4
"""Tolerance of a repeated test, that of any simulation."""

_COLUMNS = ("a", "b", "value", "sigma", "x")
"""Numbers of observations."""


@dataclass(frozen=True)
class Tested:
    """A test that a cell was fitted to, or is to be compared with.

    Attributes:
        experiment: what was done and measured.
        calibration: what belongs to the test's group and not to the cell: charge missing
            at the start [A.h], gains and offset of the current sensor, size, leads. If
            not given, the test starts at SOC 1, its sensor is right, and it has no leads.
    """

    experiment: Experiment
    calibration: Mapping[str, float] = field(default_factory=lambda: dict(RIGHT))

    @classmethod
    def of(cls, specimen: Specimen, experiment: Experiment) -> "Tested":
        """A test, with what a fit found of its group."""
        own = specimen.of_group(experiment.group)
        return cls(
            dataclasses.replace(experiment, group=0),
            {
                f.name: float(getattr(own, f.name))
                for f in dataclasses.fields(own)
                if f.metadata.get("role") is Role.CALIBRATION
            },
        )

    @property
    def name(self) -> str:
        """Of the test."""
        return self.experiment.name

    @property
    def off(self) -> dict[str, float]:
        """Its calibration, as far as it is not that of a right test."""
        return {k: v for k, v in self.calibration.items() if v != RIGHT[k]}

    def repeated(self, cell: Cell, model: DFN, *, calibrated: bool) -> np.ndarray:
        """What would have been measured on a cell, NaN after the model's end, (m,).

        Args:
            cell: the fitted one.
            model: mesh and heat balance.
            calibrated: with the start and the sensor's errors that the fit found of this
                test, or from SOC 1 with a sensor that is right, as a new test is predicted.
        """
        own = self.calibration if calibrated else RIGHT
        specimen = Specimen(cell, **{k: [v] for k, v in own.items()})
        return seen_in(specimen, self.experiment, model, RTOL)

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        e = self.experiment
        plain = ("name", "temperature", "discharged", "capacity", "since", "note")
        return {
            **{key: getattr(e, key) for key in plain},
            "protocol": e.protocol.to_json(),
            "observations": [
                {
                    "kind": o.kind.name.lower(),
                    "label": o.label,
                    "axis": o.axis,
                    **{key: np.asarray(getattr(o, key)).tolist() for key in _COLUMNS},
                }
                for o in e.observations
            ],
            "calibration": dict(self.calibration),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Tested":
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        rest = dict(data)
        # Files of before spectra were fitted say nothing of leads.
        given = {k: float(v) for k, v in rest.pop("calibration").items()}
        calibration = {**RIGHT, **given}
        observations = tuple(
            Observations(
                kind=Kind[o["kind"].upper()],
                label=o["label"],
                axis=o["axis"],
                **{key: np.array(o[key], float) for key in _COLUMNS},
            )
            for o in rest.pop("observations")
        )
        protocol = Protocol.from_json(rest.pop("protocol"))
        experiment = Experiment(protocol=protocol, observations=observations, **rest)
        return cls(experiment, calibration)
