"""Read the embedded tables."""

import csv
from importlib.resources import files

import numpy as np


def columns(file: str) -> dict[str, np.ndarray]:
    """Columns of a table below `naion.data`, by name."""
    text = files("naion.data").joinpath(file).read_text(encoding="utf-8")
    rows = [r for r in csv.reader(text.splitlines()) if r and not r[0].startswith("#")]
    values = np.array(rows[1:], dtype=float).T
    return dict(zip(rows[0], values, strict=True))
