"""Free parameters of a fit: which numbers may change, their bounds and their priors."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from numbers import Real
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._takes import takes
from ..parameters import (
    Cell,
    ParameterSet,
    Role,
    about,
    leaf,
    range_at,
    walled,
)
from ..properties import Corrected, Property, Table


class Specimen(eqx.Module):
    """What is fitted: a cell, and the calibration of every group of tests.

    The current sensor may err: the current that flowed is the logged one times a gain plus
    an offset. A logged zero means that the cell was not connected, and stays zero. Where a
    spectrum is not measured at the tabs, the leads add their impedance, R + i omega L.

    Attributes:
        cell: the cell.
        missing: charge by which a test starts less full than SOC 1, (n_group,) [A.h].
        gain: gain of the current sensor on discharge, (n_group,).
        gain_on_charge: gain of the current sensor on charge, (n_group,).
        offset: offset of the current sensor, (n_group,) [A].
        size: electrode area over that of `cell`, where groups are tests of several cells
            of one type, (n_group,).
        lead_resistance: resistance of the leads in impedance spectra, (n_group,) [ohm].
        lead_inductance: inductance of the leads in impedance spectra, (n_group,) [H].
    """

    cell: Cell
    missing: Float[Array, " n_group"] = eqx.field(metadata=about(Role.CALIBRATION))
    gain: Float[Array, " n_group"] = eqx.field(metadata=about(Role.CALIBRATION))
    gain_on_charge: Float[Array, " n_group"] = eqx.field(
        metadata=about(Role.CALIBRATION)
    )
    offset: Float[Array, " n_group"] = eqx.field(metadata=about(Role.CALIBRATION))
    size: Float[Array, " n_group"] = eqx.field(metadata=about(Role.CALIBRATION))
    lead_resistance: Float[Array, " n_group"] = eqx.field(
        metadata=about(Role.CALIBRATION)
    )
    lead_inductance: Float[Array, " n_group"] = eqx.field(
        metadata=about(Role.CALIBRATION)
    )

    def __init__(
        self,
        cell: Cell,
        missing: Any,
        gain: Any = 1.0,
        gain_on_charge: Any = 1.0,
        offset: Any = 0.0,
        size: Any = 1.0,
        lead_resistance: Any = 0.0,
        lead_inductance: Any = 0.0,
    ):
        self.cell = cell
        self.missing = jnp.asarray(missing, float)

        def each(value: Any) -> Array:
            return jnp.broadcast_to(jnp.asarray(value, float), self.missing.shape)

        self.gain, self.gain_on_charge = each(gain), each(gain_on_charge)
        self.offset, self.size = each(offset), each(size)
        self.lead_resistance = each(lead_resistance)
        self.lead_inductance = each(lead_inductance)

    def of_group(self, group: Any) -> "Specimen":
        """The specimen with the calibration of one group, as scalars."""
        return Specimen(self.cell, **{k: getattr(self, k)[group] for k in RIGHT})


RIGHT = {
    "missing": 0.0,
    "gain": 1.0,
    "gain_on_charge": 1.0,
    "offset": 0.0,
    "size": 1.0,
    "lead_resistance": 0.0,
    "lead_inductance": 0.0,
}
"""Calibration of an ideal test: it starts at SOC 1, on a cell of the nominal size, with a
sensor without error and without leads."""

LEADS = "lead_resistance", "lead_inductance"
"""Calibrations that matter to impedance spectra alone."""

SENSOR = "gain", "gain_on_charge", "offset"
"""Calibrations that matter to tests in time alone."""

TRANSFORMS = ("log", "linear")


@dataclass(frozen=True)
class FreeParameter:
    """A free parameter: one number, several numbers tied together, or an array.

    Attributes:
        paths: dotted paths in the `Specimen`, such as
            "cell.negative.particle.diffusivity.scale". Several paths are tied: they share
            one value.
        bounds: lowest and highest value.
        transform: "log" for positive scales, "linear" otherwise.
        prior: standard deviation of the prior around the start value, in the transformed
            variable (for "log": of the natural logarithm); infinite: no prior.
        smooth: for arrays, standard deviation of the second differences of neighbouring
            entries in the transformed variable; infinite: they are free.
        follows: pairs of the first path of another free parameter and a slope. The centre
            of this prior moves by the slope times the move of the other parameter, both
            transformed. With slope 2 and logarithms the prior is then of the ratio of this
            number to the square of the other.

    Raises:
        ValueError: for bounds, a transform, a prior or a smoothness that is not possible.
    """

    paths: tuple[str, ...]
    bounds: tuple[float, float]
    transform: Literal["log", "linear"] = "linear"
    prior: float = float("inf")
    smooth: float = float("inf")
    follows: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        texts = isinstance(self.paths, tuple | list) and len(self.paths) > 0
        if not texts or not all(isinstance(p, str) and p for p in self.paths):
            raise ValueError(
                f"FreeParameter: paths = {self.paths!r}; expected a tuple of dotted "
                'paths, such as ("cell.area",).'
            )
        object.__setattr__(self, "paths", tuple(self.paths))
        if self.transform not in TRANSFORMS:
            near = difflib.get_close_matches(
                str(self.transform), TRANSFORMS, cutoff=0.3
            )
            raise ValueError(
                f"{self.name}: transform = {self.transform!r}; known are "
                f"{' and '.join(TRANSFORMS)}{f', nearest {near[0]}' if near else ''}."
            )
        if not isinstance(self.bounds, tuple | list) or len(self.bounds) != 2:
            raise ValueError(
                f"{self.name}: bounds = {self.bounds!r}; expected two numbers, lowest and "
                "highest."
            )
        low, high = (_number(self.name, "bounds", b) for b in self.bounds)
        object.__setattr__(self, "bounds", (low, high))
        if not math.isfinite(low) or not math.isfinite(high) or not low < high:
            raise ValueError(
                f"{self.name}: bounds {low:g} and {high:g}; expected two finite numbers, "
                "the lower first."
            )
        if self.transform == "log" and low <= 0.0:
            raise ValueError(
                f"{self.name}: bounds {low:g} and {high:g}; a log transform needs bounds "
                "above zero."
            )
        for what in ("prior", "smooth"):
            value = _number(self.name, what, getattr(self, what))
            if not value > 0.0:
                raise ValueError(
                    f"{self.name}: {what} = {value:g}; expected a standard deviation "
                    "above zero."
                )

    def to_json(self) -> dict[str, Any]:
        """As JSON data, in which what is infinite is null."""
        free = {"paths": self.paths, "bounds": self.bounds, "transform": self.transform}
        widths = {"prior": self.prior, "smooth": self.smooth}
        return free | {
            **{k: v if math.isfinite(v) else None for k, v in widths.items()},
            "follows": self.follows,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FreeParameter":
        """The inverse of `to_json`. Files of naion 0.2 hold no priors."""
        prior, smooth = (data.get(k) or math.inf for k in ("prior", "smooth"))
        follows = tuple((name, slope) for name, slope in data.get("follows", ()))
        usual = tuple(data["paths"]), tuple(data["bounds"]), data["transform"]
        return cls(*usual, prior, smooth, follows)

    @property
    def by_group(self) -> bool:
        """Whether it is a calibration, of which each group of tests has its own value."""
        return not any(path.startswith("cell.") for path in self.paths)

    @property
    def name(self) -> str:
        """The first path without 'cell.'."""
        return self.paths[0].removeprefix("cell.")

    def forward(self, value: Any) -> Any:
        """The transformed variable of a value."""
        return jnp.log(value) if self.transform == "log" else jnp.asarray(value)

    def backward(self, z: Any) -> Any:
        """The value of a transformed variable."""
        return jnp.exp(z) if self.transform == "log" else z


def _number(name: str, what: str, value: Any) -> float:
    number = isinstance(value, Real) or np.shape(value) == () and np.isreal(value)
    if isinstance(value, bool | str) or not number or math.isnan(value):
        raise ValueError(f"{name}: {what} = {value!r}; expected a number.")
    return float(value)


@takes
def assumed(found: ParameterSet) -> tuple[FreeParameter, ...]:
    """The uncertain numbers of a parameter set, those with a range, as free parameters.

    All assumed numbers have a range. Its width gives the prior, its ends are the bounds.
    Where the entry is a table or an expression, its scale is free. Where the range is
    stated relative to another number, the prior follows that number, and the bounds are
    wide enough for it.
    """
    ends = {entry.name: entry.ends for entry in found.provenance if entry.range}
    frees = []
    for entry in found.provenance:
        if entry.range is None:
            continue
        path, (low, high), sd = f"cell.{entry.name}", entry.ends, entry.sd
        if isinstance(leaf(found.cell, entry.name), Property):
            if isinstance(entry.value, str):
                path += ".scale"
            elif entry.value != 0.0:
                path += ".scale"
                low, high = sorted((low / entry.value, high / entry.value))
                sd = sd if entry.is_log else sd / abs(entry.value)
            else:
                path += ".curve.value"
        follows = ()
        other, power = entry.follows or ("", 1.0)
        if (between := ends.get(other)) is not None:
            now = float(leaf(found.cell, other))
            low, high = (
                low * (between[0] / now) ** power,
                high * (between[1] / now) ** power,
            )
            follows = ((f"cell.{other}", power),)
        kind = "log" if entry.is_log else "linear"
        frees.append(
            FreeParameter((path,), (low, high), kind, prior=sd, follows=follows)
        )
    return tuple(frees)


@takes
def check_free(
    free: Sequence[FreeParameter],
    specimen: Specimen,
    where: Sequence[str] | None = None,
) -> None:
    """Check free parameters against the specimen, and against each other.

    Args:
        free: free parameters.
        specimen: the specimen that holds their numbers.
        where: how messages call each of them; none: by place and name.

    Raises:
        ValueError: for a path that does not lead to a number, a number that is free twice,
            a smoothness of fewer than three numbers, or tied paths of different shapes.
        KeyError: for a path that does not exist.
    """
    usual = [f"free {i + 1} ({f.name})" for i, f in enumerate(free)]
    called = usual if where is None else where
    owner: dict[str, str] = {}
    for f, here in zip(free, called, strict=True):
        for path in f.paths:
            name = path.removeprefix("cell.")
            value = leaf(specimen, path)
            if isinstance(value, Property):
                raise ValueError(
                    f"{here}: {name} is a curve; free its scale, {name}.scale."
                )
            if not eqx.is_inexact_array_like(value) or isinstance(value, bool):
                inside = [k.name for k in fields(value)] if is_dataclass(value) else []
                more = f"; it has {', '.join(inside)}" if inside else ""
                what = "absent" if value is None else "not a number that can be fitted"
                raise ValueError(f"{here}: {name} is {what}{more}.")
            parent, _, last = path.rpartition(".")
            if last == "x" and isinstance(leaf(specimen, parent), Table):
                raise ValueError(
                    f"{here}: {name} says where the points of a table stand; free its "
                    f"values, {name.removesuffix('x')}y."
                )
            if path in owner:
                raise ValueError(
                    f"{here}: {name} is free already, in {owner[path]}. Take one of them "
                    "away."
                )
            owner[path] = here
            _check_bounds(f, specimen, path, here)
            if math.isfinite(f.smooth) and np.size(value) < 3:
                raise ValueError(
                    f"{here}: {name} is no list of three numbers; `smooth` is for those."
                )
        shapes = {np.shape(leaf(specimen, path)) for path in f.paths}
        if len(shapes) > 1:
            raise ValueError(f"{here}: tied paths hold unlike counts of numbers.")


def _check_bounds(f: FreeParameter, specimen: Specimen, path: str, here: str) -> None:
    """Whether bounds are of numbers that can be, where those have two ends of their own.

    Of fractions, whose sums have an end, the cells that cannot be are turned away.
    """
    can, (low, high) = range_at(specimen, path), f.bounds
    if can is None or can.ends != (True, True):
        return
    if low < can.low or high > can.high:
        raise ValueError(
            f"{here}: bounds {low:g} and {high:g} of {path.removeprefix('cell.')}; "
            f"expected numbers that it can be, {can}."
        )


@takes
def check_start(free: FreeParameter, specimen: Specimen, here: str) -> None:
    """Check that a free parameter starts inside its bounds.

    A `Problem` does not ask for this: its optimisers begin at the bound.

    Args:
        free: the free parameter.
        specimen: the specimen that holds its start value.
        here: how messages call it.

    Raises:
        ValueError: naming the value that is farthest outside.
    """
    low, high = free.bounds
    # A fitted value at a bound went through a logarithm and back, which rounds.
    slack = 1e-9 * max(abs(low), abs(high))
    for path in free.paths:
        value = np.ravel(leaf(specimen, path))
        outside = np.maximum(low - value, value - high)
        k = int(np.argmax(outside))
        if outside[k] > slack:
            raise ValueError(
                f"{here}: {path.removeprefix('cell.')} starts at {value[k]:.6g}, outside "
                f"its bounds {low:g} to {high:g}."
            )


@takes
def with_ocp_correction(
    cell: Cell, electrode: Literal["negative", "positive"], knots: Any
) -> Cell:
    """A cell with a correction added to one open-circuit potential, zero to begin with.

    The correction is a table whose values can be fitted; they are at
    "<electrode>.particle.ocp.curve.correction.y" [V]. The potential of the negative
    electrode gets walls at its ends, see `properties.Walled`: a discharge ends as this
    electrode empties, and with walls the cell reaches its lower voltage limit whatever the
    correction is there.

    Args:
        cell: the cell to correct.
        electrode: "negative" or "positive".
        knots: stoichiometries of the table, two or more, increasing from 0 to 1.

    Raises:
        ValueError: for another electrode, or knots that are not as said.
    """
    if electrode not in ("negative", "positive"):
        raise ValueError(
            f"electrode = {electrode!r}; expected 'negative' or 'positive'."
        )
    try:
        given = np.asarray(knots, float)
    except (TypeError, ValueError):
        given = np.zeros(0)
    rising = given.ndim == 1 and given.size >= 2 and bool(np.all(np.diff(given) > 0.0))
    if not rising or given[0] < 0.0 or given[-1] > 1.0:
        raise ValueError(
            f"knots = {knots!r}; expected two or more stoichiometries from 0 to 1, rising."
        )
    x = jnp.asarray(given)
    # The interpolation must be linear in the values. Monotone cubics have kinks where
    # values change sign, at which searches get stuck.
    correction = Table(x, jnp.zeros_like(x), "parabolic", "clamp")

    def curve(c: Cell):
        return getattr(c, electrode).particle.ocp.curve

    if electrode == "negative":
        particle = walled(cell.negative.particle)
        cell = eqx.tree_at(lambda c: c.negative.particle, cell, particle)
    return eqx.tree_at(curve, cell, Corrected(curve(cell), correction))
