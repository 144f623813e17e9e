"""Designs in files: numbers in the units of data sheets, with ranges and sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._takes import takes
from ..parameters import Sourced
from ._design import DataSheet, Design
from ._housing import AbstractHousing, Cylinder, Pouch, Prismatic
from ._stack import ALUMINIUM, COPPER, Coat, Foil, SeparatorFilm, Stack

METALS = {"aluminium": ALUMINIUM, "copper": COPPER}
HOUSINGS = {"cylinder": Cylinder, "prismatic": Prismatic, "pouch": Pouch}

UNITS = {
    "loading": ("mg/cm2", 1e-2),
    "density": ("g/cm3", 1e3),
    "material_density": ("g/cm3", 1e3),
    "capacity": ("mAh/g", 1.0),
    "first_charge": ("mAh/g", 1.0),
    "thickness": ("um", 1e-6),
    "electrolyte_density": ("g/cm3", 1e3),
    "width": ("mm", 1e-3),
    "depth": ("mm", 1e-3),
    "height": ("mm", 1e-3),
    "diameter": ("mm", 1e-3),
    "wall": ("mm", 1e-3),
    "seal": ("mm", 1e-3),
    "fittings": ("g", 1e-3),
    "laminate": ("kg/m2", 1.0),
    "area": ("m2", 1.0),
    "voltage": ("V", 1.0),
    "lower_voltage": ("V", 1.0),
    "upper_voltage": ("V", 1.0),
}
"""Units of files by the last part of a name, and what they are in SI; others have none."""

NAMES = (
    *(
        f"{side}.{what}"
        for side in ("positive", "negative")
        for what in ("loading", "density", "active", "material_density", "capacity")
    ),
    "positive.first_charge",
    "negative.efficiency",
    "n_to_p",
    "positive_foil.thickness",
    "negative_foil.thickness",
    "separator.thickness",
    "separator.porosity",
    "overhang",
    "overfill",
    "electrolyte_density",
    *(f"housing.{name}" for name in ("width", "depth", "height", "diameter", "wall")),
    *(f"housing.{name}" for name in ("seal", "fittings", "laminate", "filling")),
    "area",
    "allowance",
    "lower_voltage",
    "upper_voltage",
    "voltage",
    "utilisation",
)
"""Numbers that a design may give."""


@dataclass(frozen=True)
class Blueprint:
    """A design with what is uncertain in it.

    Attributes:
        name: in its file.
        title: one line.
        materials: parameter set whose materials it is built with, or "" for none.
        potentials: see `Coat.potentials`; of the positive and of the negative.
        format: a key of `HOUSINGS`.
        negative_metal: a key of `METALS`.
        positive_material, negative_material: see `Coat.material`.
        inputs: its numbers, by name.
    """

    name: str
    title: str
    materials: str
    potentials: tuple[tuple[float, float], tuple[float, float]]
    format: str
    negative_metal: str
    inputs: Mapping[str, Sourced]
    positive_material: str = ""
    negative_material: str = ""

    def design(self, **values: Any) -> Design:
        """The design, with some numbers replaced.

        Args:
            values: in the units of files, by name with `__` for a dot; may be traced.

        Raises:
            ValueError: for a name that the design does not have.
        """
        given = {name.replace("__", "."): value for name, value in values.items()}
        unknown = sorted(set(given) - set(NAMES))
        if unknown:
            raise ValueError(
                f"{self.name}: no number named {', '.join(unknown)}. "
                f"Known are: {', '.join(NAMES)}."
            )
        numbers = {name: i.median for name, i in self.inputs.items()} | given
        return _design(self, {name: _in_si(name, x) for name, x in numbers.items()})

    def drawn(self, u: Mapping[str, Array]) -> Design:
        """The design with its inputs as many standard deviations from their medians."""
        values = {name: self.inputs[name].at(x) for name, x in u.items()}
        return self.design(**{k.replace(".", "__"): x for k, x in values.items()})

    @property
    def uncertain(self) -> tuple[Sourced, ...]:
        """Inputs with a range."""
        return tuple(i for i in self.inputs.values() if i.range is not None)

    def data_sheet(self) -> DataSheet:
        """By the energy model alone; see `Design.data_sheet`.

        Raises:
            ValueError: when the design gives no mean voltage.
        """
        if "voltage" not in self.inputs:
            raise ValueError(
                f"{self.name} gives no mean `voltage` [V]: give one, or build the cell "
                "and simulate it."
            )
        return self.design().data_sheet(jnp.asarray(self.inputs["voltage"].value))


def unit_of(name: str) -> tuple[str, float]:
    """Of a number of files, and what it is in SI."""
    return UNITS.get(name.rpartition(".")[2], ("-", 1.0))


@takes
def sourced(where: str, name: str, entry: Any) -> Sourced:
    """A number as a file of designs or of claims gives it.

    Args:
        where: for messages.
        name: of the number.
        entry: its table, a `Ranged` of `naion._file_models` with a value.

    Raises:
        ValueError: for a range or bounds that do not hold the value, and for an assumed
            number without a range.
    """
    unit, _ = unit_of(name)
    try:
        return Sourced(
            name,
            entry.value,
            unit,
            entry.quality,
            entry.source,
            entry.range,
            entry.level,
            entry.bounds,
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _in_si(name: str, value: Any) -> Array:
    return jnp.asarray(value) * unit_of(name)[1]


def _design(b: Blueprint, x: Mapping[str, Array]) -> Design:
    sides = zip(("positive", "negative"), b.potentials, strict=True)
    positive, negative = (
        _coat(side, between, x, getattr(b, f"{side}_material"))
        for side, between in sides
    )
    stack = Stack(
        positive,
        negative,
        Foil(x["positive_foil.thickness"]),
        Foil(
            x["negative_foil.thickness"],
            jnp.asarray(METALS[b.negative_metal]),
            b.negative_metal,
        ),
        SeparatorFilm(x["separator.thickness"], x["separator.porosity"]),
        x["overhang"],
        x["overfill"],
        x["electrolyte_density"],
    )
    if "n_to_p" in x:
        stack = stack.balanced(x["n_to_p"])
    own = {
        name.removeprefix("housing."): value
        for name, value in x.items()
        if name.startswith("housing.")
    }
    if "area" in x:
        own["filling"] = jnp.ones(())
    housing: AbstractHousing = HOUSINGS[b.format](**own)
    if "area" in x:
        filling = 0.5 * x["area"] * stack.unit_thickness / housing.room
        housing = eqx.tree_at(lambda h: h.filling, housing, filling)
    return Design(
        stack,
        housing,
        x.get("allowance", jnp.ones(())),
        lower_voltage=x.get("lower_voltage"),
        upper_voltage=x.get("upper_voltage"),
        mean_voltage=x.get("voltage"),
    )


def _coat(
    side: str, between: tuple[float, float], x: Mapping[str, Array], material: str
) -> Coat:
    used = x["utilisation"]
    capacity = used * x[f"{side}.capacity"]
    first = used * x.get(f"{side}.first_charge", x[f"{side}.capacity"])
    if f"{side}.efficiency" in x:
        first = capacity / x[f"{side}.efficiency"]
    # A loading that the ratio of the electrodes gives is put in afterwards.
    return Coat(
        x.get(f"{side}.loading", jnp.ones(())),
        x[f"{side}.density"],
        x[f"{side}.active"],
        x[f"{side}.material_density"],
        capacity,
        first,
        between,
        material=material,
    )
