"""Write a number once: it goes into the cell and into the provenance table."""

import csv
from importlib.resources import files
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ...properties import AbstractTemperatureLaw, Property, Table, constant
from .._sourced import TWO_SD, Quality, Sourced

Range = tuple[float, float] | None
"""Lowest and highest plausible value; see `Sourced`."""

Follows = tuple[str, float] | None
"""Another number, and the power of it that a range goes along with; see `Sourced`."""

Valid = tuple[float, float] | None
"""Lowest and highest temperature of the measurements [K]; see `Property`."""

AT_25_DEGC = 298.15, 298.15
"""What was measured at 25 degC only."""


class Recorder:
    """Collects provenance while a set is built.

    Args:
        package: of the set, where its tables lie.
    """

    def __init__(self, package: str):
        self._package = package
        self._entries: list[Sourced] = []

    @property
    def provenance(self) -> tuple[Sourced, ...]:
        """All entries so far."""
        return tuple(self._entries)

    def __call__(
        self,
        path: str,
        value: float,
        unit: str,
        quality: Quality,
        source: str,
        range: Range = None,
        follows: Follows = None,
    ) -> Array:
        """Record a number; returns it as an array leaf."""
        self._add(path, value, unit, quality, source, range, follows)
        return jnp.asarray(value, dtype=float)

    def constant(
        self,
        path: str,
        value: float,
        unit: str,
        quality: Quality,
        source: str,
        temperature: AbstractTemperatureLaw | None = None,
        range: Range = None,
        follows: Follows = None,
        *,
        valid: Valid = None,
    ) -> Property:
        """Record a property that does not depend on composition."""
        number = self(path, value, unit, quality, source, range, follows)
        return constant(number, temperature, valid=valid)

    def table(
        self,
        path: str,
        file: str,
        unit: str,
        quality: Quality,
        source: str,
        *,
        temperature: AbstractTemperatureLaw | None = None,
        x_scale: float = 1.0,
        x_offset: float = 0.0,
        y_scale: float = 1.0,
        extrapolation: Literal["linear", "clamp"] = "linear",
        range: Range = None,
        valid: Valid = None,
    ) -> Property:
        """Record a table: its argument becomes x_offset + x_scale * column one.

        `file` is one of the set's, or "../another_set/file.csv".
        """
        x, y = read_table(self._package, file)
        self.note(path, f"{len(x)} points in {file}", unit, quality, source, range)
        table = Table(
            jnp.asarray(x_offset + x_scale * x),
            jnp.asarray(y_scale * y),
            extrapolation=extrapolation,
        )
        return Property(table, temperature, valid=valid)

    def note(
        self,
        path: str,
        text: str,
        unit: str,
        quality: Quality,
        source: str,
        range: Range = None,
        follows: Follows = None,
    ) -> None:
        """Record a property that is an expression; the set builds it."""
        self._add(path, text, unit, quality, source, range, follows)

    def _add(self, path, value, unit, quality, source, range, follows) -> None:
        level = None if range is None else TWO_SD
        entry = Sourced(
            path, value, unit, quality, source, range, level, range, follows=follows
        )
        self._entries.append(entry)


def read_table(package: str, file: str) -> tuple[np.ndarray, np.ndarray]:
    """The two columns of a set's CSV table; lines starting with # are comments."""
    while file.startswith("../"):
        _, folder, file = file.split("/", 2)
        package = f"{package.rpartition('.')[0]}.{folder}"
    text = files(package).joinpath(file).read_text(encoding="utf-8")
    rows = [r for r in csv.reader(text.splitlines()) if r and not r[0].startswith("#")]
    columns = np.array(rows[1:], dtype=float).T
    return columns[0], columns[1]
