"""The tests that a cell was fitted to, which are kept with it and can be repeated on it."""

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
"""Tolerance of the simulation of a repeated test, the default of `simulate`."""

_COLUMNS = ("a", "b", "value", "sigma", "x")
"""Arrays of `Observations`."""


@dataclass(frozen=True)
class Tested:
    """A test that a cell was fitted to, or is to be compared with.

    Attributes:
        experiment: what was done and measured.
        calibration: values of the calibrations of `Specimen` by name, as the fit found
            them for this test. None given: the test starts at SOC 1, its sensor has no
            error, and there are no leads.
    """

    experiment: Experiment
    calibration: Mapping[str, float] = field(default_factory=lambda: dict(RIGHT))

    @classmethod
    def of(cls, specimen: Specimen, experiment: Experiment) -> "Tested":
        """A test with the calibration that a fit found for its group."""
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
        """Name of the test."""
        return self.experiment.name

    @property
    def off(self) -> dict[str, float]:
        """Those calibrations that differ from an ideal test's."""
        return {k: v for k, v in self.calibration.items() if v != RIGHT[k]}

    def repeated(self, cell: Cell, model: DFN, *, calibrated: bool) -> np.ndarray:
        """Simulated observations of this test on a cell, NaN beyond the model's end, (m,).

        Args:
            cell: the fitted cell.
            model: mesh and heat balance.
            calibrated: whether to use the calibration that the fit found for this test.
                Without it the test starts at SOC 1 with a sensor without error, as a new
                test is predicted.
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
        # Files written before spectra could be fitted do not mention leads.
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
