"""Read a parameter set from its TOML file and CSV tables."""

import dataclasses
import re
from pathlib import Path
from typing import Any, get_type_hints

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import properties
from .._file_models import Strict, checked
from .._files import read_text, read_toml
from ..mesh import Mesh
from ..physics.kinetics import ButlerVolmer
from ..properties import AbstractCurve, AbstractTemperatureLaw, Constant, Property
from ._cell import Cell, Defaults
from ._check import check
from ._parameter_set import ParameterSet
from ._ranges import unit_of
from ._schema import (
    ConstantProperty,
    CurveProperty,
    Entry,
    Number,
    SetFile,
    TableProperty,
    fields_in_files,
)
from ._serialise import check_part
from ._sourced import Sourced
from ._suited_mesh import with_suited_mesh
from ._units import factor


def read_set(file: Path) -> ParameterSet:
    """The parameter set in a TOML file; its name is that of the file.

    Raises:
        ValueError: naming file, table and key, with what is there and what was expected;
            for impossible numbers see `check`.
    """
    given: Any = checked(SetFile, read_toml(file), file)
    reader = _Reader(file, given)
    try:
        cell = reader.part(Cell, given)
        check(cell)
        if given.mesh is None:
            cell = with_suited_mesh(cell)
        else:
            defaults = Defaults(Mesh(*given.mesh))
            cell = dataclasses.replace(cell, defaults=defaults)
        reader.check_follows()
    except ValueError as error:
        said = str(error)
        raise ValueError(said if str(file) in said else f"{file}: {said}") from None
    header = given.title, cell, tuple(reader.provenance), given.citation, given.licence
    return ParameterSet(file.stem, *header)


class _Reader:
    """Makes the parts of a cell from a set's file, and collects the sources of its numbers.

    Attributes:
        provenance: an entry for every number, table and curve that was read.
    """

    def __init__(self, file: Path, header: Any):
        self.folder, self.level, self.sources = (
            file.parent,
            header.level,
            header.sources,
        )
        self.provenance: list[Sourced] = []

    def part(self, cls: type[eqx.Module], given: Any, path: str = "") -> Any:
        """A part of the cell, from its table in the file."""
        hints, made = get_type_hints(cls), {}
        for name in fields_in_files(cls):
            where = f"{path}.{name}".removeprefix(".")
            entry, unit = getattr(given, name), unit_of(cls, name)
            if isinstance(entry, Number) and hints[name] is not Property:
                made[name] = self.number(entry, where, unit)
            elif isinstance(entry, Entry):
                made[name] = self.property(entry, where, unit)
            else:
                made[name] = self.part(hints[name], entry, where)
        if cls is Cell:
            made |= {"kinetics": ButlerVolmer()}
        return cls(**made)

    def number(self, entry: Number, path: str, unit: str) -> Array:
        """A number of the file, converted to SI."""
        times = factor(entry.unit, unit, path)
        value = entry.value * times
        self._keep(entry, path, value, unit, times)
        return jax.device_put(np.asarray(value, dtype=float))

    def property(self, entry: Any, path: str, unit: str) -> Property:
        """A property of the file, converted to SI."""
        curve: AbstractCurve
        match entry:
            case ConstantProperty():
                curve = Constant(self.number(entry, path, unit))
            case TableProperty():
                curve, points = self._table(entry, path, factor(entry.unit, unit, path))
                text = entry.text or f"{points} points in {entry.table}"
                self._keep(entry, path, text, unit)
            case CurveProperty():
                curve = self._of_form(entry.curve, f"{path}.curve")
                if entry.unit != unit:
                    raise ValueError(
                        f"{path}: unit = {entry.unit!r}; a curve gives {unit}."
                    )
                words = type(curve).__name__
                if isinstance(curve, properties.Table):
                    words = f"{curve.x.size} points"
                text = entry.text or words
                self._keep(entry, path, text, unit)
        law = None
        if entry.temperature is not None:
            law = self._of_form(entry.temperature, f"{path}.temperature")
        try:
            return Property(curve, law, valid=entry.valid)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def _table(
        self, entry: TableProperty, path: str, times: float
    ) -> tuple[properties.Table, int]:
        file = self.folder / entry.table
        try:
            x, y = read_points(file)
            table = properties.Table(
                entry.x_offset + entry.x_scale * (x / entry.x_full),
                times * entry.y_scale * y,
                entry.interpolation,
                entry.extrapolation,
            )
        except ValueError as error:
            said = str(error)
            said = said if str(file) in said else f"{file}: {said}"
            raise ValueError(f"{path}: {said}") from None
        return table, len(x)

    def _of_form(self, given: Strict, path: str) -> Any:
        """The curve or temperature law of a table, which its key `type` names."""
        cls = getattr(properties, type(given).__name__)
        made = {}
        for field in dataclasses.fields(cls):
            if field.name not in type(given).model_fields:
                continue
            value, where = getattr(given, field.name), f"{path}.{field.name}"
            if isinstance(value, Number):
                value = self.number(value, where, unit_of(cls, field.name))
            elif not field.metadata.get("static"):
                value = jnp.asarray(value, dtype=float)
            made[field.name] = value
        try:
            found: AbstractCurve | AbstractTemperatureLaw = cls(**made)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        check_part(found, path)
        return found

    def _keep(
        self, entry: Entry, path: str, value: Any, unit: str, times: float = 1.0
    ) -> None:
        def scaled(ends: Any) -> Any:
            return None if ends is None else (times * ends[0], times * ends[1])

        range = scaled(entry.range)
        self.provenance.append(
            Sourced(
                path,
                value,
                unit,
                entry.quality,
                self._source(entry.source, path),
                range,
                None if range is None else entry.level or self.level,
                scaled(entry.bounds) or range,
                entry.distribution,
                entry.follows,
                entry.same_in_all,
            )
        )

    def _source(self, text: str, path: str) -> str:
        """A source, in which names in braces are replaced by texts of [sources]."""

        def of(found: re.Match[str]) -> str:
            if found[1] not in self.sources:
                raise ValueError(
                    f"{path}: source names {found[0]}; [sources] has "
                    f"{', '.join(self.sources) or 'none'}."
                )
            return self.sources[found[1]]

        return re.sub(r"\{(\w+)\}", of, text)

    def check_follows(self) -> None:
        """Check that every range that follows a number follows one of the set.

        Raises:
            ValueError: naming the number that does not exist.
        """
        known = {entry.name for entry in self.provenance}
        for entry in self.provenance:
            if entry.follows is not None and entry.follows[0] not in known:
                raise ValueError(
                    f"{entry.name}: follows {entry.follows[0]!r}, which is no number of "
                    "the set; expected a path such as negative.particle.radius."
                )


def read_points(file: Path) -> np.ndarray:
    """The two columns of a CSV table, (2, n).

    A first line with names, and lines that start with #, are skipped.

    Raises:
        ValueError: naming the line that is not two numbers.
    """
    points = []
    for n, row in enumerate(read_text(file).splitlines(), start=1):
        if not row.strip() or row.startswith("#"):
            continue
        try:
            x, y = map(float, row.split(","))
        except ValueError:
            if points or not _is_header(row):
                raise ValueError(
                    f"{file}, line {n}: {row!r:.60}; expected two numbers with a comma "
                    "between them, such as 0.1,3.2."
                ) from None
            continue
        points.append((x, y))
    return np.array(points, dtype=float).reshape(-1, 2).T


def _is_header(row: str) -> bool:
    """Whether a row consists of two names."""
    cells = row.split(",")
    return len(cells) == 2 and all(re.search("[A-Za-z]", cell) for cell in cells)
