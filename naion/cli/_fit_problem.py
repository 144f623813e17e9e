"""The problem that a file of `naion fit` describes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._file_models import checked
from ..fit import (
    LEADS,
    FreeParameter,
    Problem,
    Specimen,
    check_free,
    check_start,
    with_ocp_correction,
)
from ..models import DFN
from ..parameters import Cell, path_of, with_double_layer
from ._fit_data import experiment_of, rigs_of
from ._fit_schema import Correction, FitFile, Free, Test

SMOOTH = 0.03
"""Smoothness of a correction of three knots or more, where the file gives none: standard
deviation of second differences [V]."""


def problem_of(content: dict[str, Any], file: Path) -> tuple[Problem, str]:
    """The problem that a fit's TOML describes, and the name of its cell.

    Args:
        content: what the file says.
        file: where it is; paths in it are relative to its folder.

    Raises:
        ValueError: for anything wrong in it or in the files that it names.
    """
    asked = checked(FitFile, content, file)
    cell, extra = asked.read_cell(file)
    if asked.double_layer is not None:
        exponent = asked.double_layer_exponent
        cell = with_double_layer(cell, asked.double_layer, exponent or 1.0)
    free, places = [], []
    for i, entry in enumerate(asked.ocp_correction):
        places.append(f"{file}: ocp_correction {i + 1}")
        cell, correction = _correction(cell, entry, places[-1])
        free.append(correction)
    for i, entry in enumerate(asked.free):
        places.append(f"{file}: free {i + 1}")
        free.append(_free(entry, cell, places[-1]))
    rigs = rigs_of(asked.data)
    of_leads = [f.by_group for f in free]
    if any(of_leads) and not rigs:
        raise ValueError(
            f"{file}: free: {' and '.join(LEADS)} are of impedance tests, and there is none."
        )
    if all(of_leads):
        raise ValueError(
            f"{file}: free: {', '.join(f.name for f in free)} alone: nothing of the cell "
            "is fitted. Free a number of it, too."
        )
    specimen = Specimen(cell, [0.0] * max(len(rigs), 1))
    try:
        check_free(free, specimen, places)
        for f, place in zip(free, places, strict=True):
            check_start(f, specimen, place)
    except KeyError as error:
        said = f"{file}: free: {error.args[0]}"
        if "double_layer" in said and asked.double_layer is None:
            said += " double_layer = 0.2 at the top of the file gives the cell one."
        raise ValueError(said) from None
    _check_once(asked.data, file)
    data = [
        experiment_of(entry, file, cell, f"{file}: data {i + 1}", rigs)
        for i, entry in enumerate(asked.data)
    ]
    name = str(extra.get("name", asked.cell))
    model = DFN(asked.read_mesh())
    try:
        return Problem(specimen, tuple(free), tuple(data), model), name
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _check_once(tests: Sequence[Test], file: Path) -> None:
    """Raise for a test that is given twice, and so would count twice."""
    seen: list[dict[str, Any]] = []
    for i, test in enumerate(tests):
        said = test.model_dump(exclude={"name"})
        if said in seen:
            raise ValueError(
                f"{file}: data {i + 1} is the same as data {seen.index(said) + 1}, and "
                "would count twice: take one away. A smaller sigma gives a test more weight."
            )
        seen.append(said)


def _correction(
    cell: Cell, entry: Correction, where: str
) -> tuple[Cell, FreeParameter]:
    """The cell with a correction of an open-circuit potential, and the free parameter."""
    path = f"cell.{entry.electrode}.particle.ocp.curve.correction.y"
    usual = SMOOTH if len(entry.knots) >= 3 else float("inf")
    try:
        corrected = with_ocp_correction(cell, entry.electrode, entry.knots)
        return corrected, FreeParameter(
            (path,), (-0.5, 0.5), "linear", entry.prior, entry.smooth or usual
        )
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _free(entry: Free, cell: Cell, where: str) -> FreeParameter:
    """The free parameter of an entry, whose paths may be readable names of numbers."""
    paths = [entry.path] if isinstance(entry.path, str) else entry.path
    try:
        paths = [path_of(cell, path) for path in paths]
        return FreeParameter(
            tuple(path if path in LEADS else f"cell.{path}" for path in paths),
            entry.bounds,
            entry.transform,
            entry.prior or float("inf"),
            entry.smooth or float("inf"),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{where}: {error.args[0]}") from None
