"""Designs in files: numbers in the units of data sheets, with ranges and sources."""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._entries import number, one_of, pair, table, text
from .._files import read_toml
from ..parameters import QUALITIES, Quality, Sourced
from ._design import DataSheet, Design
from ._housing import AbstractHousing, Cylinder, Pouch, Prismatic
from ._stack import ALUMINIUM, COPPER, Coat, Foil, Separator, Stack

METALS = {"aluminium": ALUMINIUM, "copper": COPPER}
HOUSINGS = {"cylinder": Cylinder, "prismatic": Prismatic, "pouch": Pouch}

FORM = '{ value = 19.0, quality = "M", source = "teardown", range = [18.0, 22.0] }'
"""How a number of a file is given."""

LEVEL = 0.90
"""Of a range of a file that gives no level of its own."""

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


WORDS: dict[str, Any] = {
    "title": "",
    "materials": "",
    "format": "prismatic",
    "negative_metal": "aluminium",
    "potentials": [[4.0, 2.0], [2.0, 0.0]],
}
"""What else a design says, and what is meant where it does not; `like` another design, it
takes over everything that it does not say itself."""


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
        inputs: its numbers, by name.
    """

    name: str
    title: str
    materials: str
    potentials: tuple[tuple[float, float], tuple[float, float]]
    format: str
    negative_metal: str
    inputs: Mapping[str, Sourced]

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


def _in_si(name: str, value: Any) -> Array:
    _, factor = UNITS.get(name.rpartition(".")[2], ("-", 1.0))
    return jnp.asarray(value) * factor


def _design(b: Blueprint, x: Mapping[str, Array]) -> Design:
    sides = zip(("positive", "negative"), b.potentials, strict=True)
    positive, negative = (_coat(side, between, x) for side, between in sides)
    stack = Stack(
        positive,
        negative,
        Foil(x["positive_foil.thickness"]),
        Foil(x["negative_foil.thickness"], jnp.asarray(METALS[b.negative_metal])),
        Separator(x["separator.thickness"], x["separator.porosity"]),
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
    )


def _coat(side: str, between: tuple[float, float], x: Mapping[str, Array]) -> Coat:
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
    )


def available(file: Path | str | None = None) -> tuple[str, ...]:
    """Names of the designs in a file, or of those that ship."""
    return tuple(_tables(file))


def load(name: str, file: Path | str | None = None) -> Blueprint:
    """A design that ships, or one of a TOML file of yours.

    Args:
        name: of its table.
        file: to read; none: the designs that ship, `naion/design/designs.toml`, which
            also show the format.

    Raises:
        KeyError: for an unknown name.
        ValueError: for a file that cannot be understood.
    """
    tables = _tables(file)
    if name not in tables:
        raise KeyError(
            f"No design {name!r}{'' if file is None else f' in {file}'}. There are: "
            f"{', '.join(tables) or 'none; write one as a table [NAME]'}."
        )
    try:
        return read(name, tables[name])
    except ValueError as error:
        if file is None:
            raise
        raise ValueError(f"{file}: {error}") from None


def read(name: str, given: Mapping[str, Any]) -> Blueprint:
    """A design from its table.

    Raises:
        ValueError: for what cannot be understood, with what is allowed.
    """
    known = {key: given.get(key, usual) for key, usual in WORDS.items()}
    numbers = {key: entry for key, entry in given.items() if key not in WORDS}
    inputs = {key: _input(name, key, entry) for key, entry in _flat(numbers).items()}
    for key, allowed in (("format", HOUSINGS), ("negative_metal", METALS)):
        one_of(known[key], allowed, f"{name}: {key}")
    for key in ("title", "materials"):
        if known[key]:
            text(known[key], f"{name}: {key}")
    of_housing = {f.name for f in dataclasses.fields(HOUSINGS[known["format"]])}
    foreign = [
        key
        for key in inputs
        if key.startswith("housing.") and key[8:] not in of_housing
    ]
    if foreign:
        raise ValueError(
            f"{name}: a {known['format']} has no {', '.join(foreign)}; it has "
            f"{', '.join(sorted(of_housing))}."
        )
    missing = [n for n in _needed(known["format"], inputs) if n not in inputs]
    if missing:
        raise ValueError(f"{name}: give {', '.join(missing)} too.")
    between = _potentials(known.pop("potentials"), f"{name}: potentials")
    found = Blueprint(name, potentials=between, inputs=inputs, **known)
    stack = found.design().stack
    for side in ("positive", "negative"):
        porosity = float(getattr(stack, side).porosity)
        if not 0.0 < porosity < 1.0:
            raise ValueError(
                f"{name}: the {side} coat would be {100.0 * porosity:.0f} % pores: "
                f"{side}.density must be below that of what it is made of."
            )
    return found


def _potentials(
    given: Any, where: str
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Between which half cells were measured, the higher of each two first [V]."""
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError(
            f"{where} = {given!r}; expected those of the positive and of the negative, "
            "such as [[4.0, 2.0], [2.0, 0.0]]."
        )
    positive, negative = (pair(g, f"{where}, {i + 1}") for i, g in enumerate(given))
    for high, low in (positive, negative):
        if not high > low:
            raise ValueError(
                f"{where}: {high:g} and {low:g}; expected the higher first."
            )
    return positive, negative


def _needed(housing: str, inputs: Mapping[str, Sourced]) -> list[str]:
    size = ["diameter"] if housing == "cylinder" else ["width", "depth"]
    needed = [n for n in NAMES[:10] if n != "negative.loading"]
    needed += ["positive.first_charge", "negative.efficiency"]
    needed += [n for n in NAMES if n.endswith("thickness") or n.startswith("separator")]
    needed += ["overhang", "overfill", "electrolyte_density", "utilisation"]
    needed += [f"housing.{n}" for n in (*size, "height", "fittings")]
    if "n_to_p" not in inputs:
        needed.append("negative.loading")
    if "housing.filling" not in inputs:
        needed.append("area")
    return needed


def _input(design: str, name: str, entry: Any) -> Sourced:
    if name not in NAMES:
        raise ValueError(
            f"{design}: unknown number {name!r}. Known are: {', '.join(NAMES)}."
        )
    found = read_input(design, name, entry)
    if not found.median > 0.0:
        raise ValueError(
            f"{design}: {name}: value {found.median:g}; expected more than zero."
        )
    return found


def read_input(where: str, name: str, entry: Any) -> Sourced:
    """A number of a file with its quality, source and range.

    Raises:
        ValueError: saying `where`, for what cannot be understood.
    """
    here = f"{where}: {name}"
    entry = table(entry, here, FORM)
    extra = set(entry) - {"value", "quality", "source", "range", "level", "bounds"}
    if extra or not {"value", "quality", "source"} <= set(entry):
        raise ValueError(
            f"{here} = {dict(entry)}; expected {FORM}, and maybe level and bounds."
        )
    quality = cast(Quality, one_of(entry["quality"], QUALITIES, f"{here}: quality"))
    value = number(entry["value"], f"{here}: value")
    ends: list[tuple[float, float] | None] = []
    for key in ("range", "bounds"):
        given = entry.get(key)
        ends.append(None if given is None else pair(given, f"{here}: {key}"))
        if ends[-1] is not None and not ends[-1][0] > 0.0:
            raise ValueError(f"{here}: {key} {given}; expected numbers above zero.")
    level = number(entry.get("level", LEVEL), f"{here}: level")
    unit, _ = UNITS.get(name.rpartition(".")[2], ("-", 1.0))
    source = text(entry["source"], f"{here}: source")
    try:
        return Sourced(name, value, unit, quality, source, ends[0], level, ends[1])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _flat(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Tables in tables as one, with dotted names."""
    found: dict[str, Any] = {}
    for key, entry in table.items():
        if isinstance(entry, Mapping) and "value" not in entry:
            found |= _flat(entry, f"{above}{key}.")
        else:
            found[above + key] = entry
    return found


def _tables(file: Path | str | None) -> dict[str, dict[str, Any]]:
    shipped = resources.files("naion.design").joinpath("designs.toml")
    tables = tomllib.loads(shipped.read_text("utf-8"))
    if file is None:
        return {key: _with_likeness("designs.toml", tables, key) for key in tables}
    own = read_toml(file)
    # What ships can be taken over by name.
    return {key: _with_likeness(str(file), tables | own, key) for key in own}


def _with_likeness(
    file: str, tables: Mapping[str, Any], name: str, to: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A table with what it takes over from the one it is `like`.

    Args:
        file: for messages.
        tables: by name.
        name: of the table.
        to: tables that are like it, so that no two are like each other.
    """
    own_table = dict(table(tables[name], f"{file}: {name}", f"a table [{name}]"))
    like = own_table.pop("like", None)
    if like is None:
        return own_table
    if not isinstance(like, str) or like in (name, *to) or like not in tables:
        others = ", ".join(key for key in tables if key not in (name, *to))
        raise ValueError(
            f"{file}: {name}: like = {like!r}; expected another of {others}."
        )
    base = _with_likeness(file, tables, like, (name, *to))
    own = {key: own_table.pop(key) for key in list(own_table) if key in WORDS}
    words = {key: base.pop(key) for key in list(base) if key in WORDS}
    given = _flat(own_table)
    if own.get("format", words.get("format")) != words.get("format"):
        base.pop("housing", None)
        base = {k: x for k, x in base.items() if not k.startswith("housing.")}
    numbers = _flat(base) | given
    # One says how much negative there is, or how much area: not both.
    for one, other in (("n_to_p", "negative.loading"), ("area", "housing.filling")):
        if one in given:
            numbers.pop(other, None)
        elif other in given:
            numbers.pop(one, None)
    return words | own | numbers
