"""The measured tables that the demo fits: embedded, or from the full data files."""

import csv
import os
from importlib.resources import files
from pathlib import Path

import numpy as np

from ._full import measurements

EMBEDDED = files("naion.demo") / "data"
"""Where the embedded tables lie; any folder of the same layout will do."""

FULL_POINTS = 200
"""Points of a discharge curve made from the full data files."""


def columns(tables, file: str) -> dict[str, np.ndarray]:
    """Columns of a table below a folder, by name."""
    text = tables.joinpath(file).read_text(encoding="utf-8")
    rows = [r for r in csv.reader(text.splitlines()) if r and not r[0].startswith("#")]
    values = np.array(rows[1:], dtype=float).T
    return dict(zip(rows[0], values, strict=True))


def full_tables(out: Path) -> Path:
    """Finer tables made from the full data files; returns their folder.

    The files are looked for in the folder that NAION_DATA names, else in
    `../shared/data`.

    Raises:
        ValueError: when they are not there.
    """
    data = Path(os.environ.get("NAION_DATA", "../shared/data"))
    needed = (
        "chayambuka_nvpf_hc",
        "hakadi_18650",
        "hina_nacr32140",
        "tuberlin_sib_multitemp",
    )
    missing = [name for name in needed if not (data / name).is_dir()]
    if missing:
        raise ValueError(
            f"{data.resolve()} has no {', '.join(missing)}. Set NAION_DATA to the folder "
            "of the full data files, or run without --full on the embedded tables."
        )
    measurements(data, out, n=FULL_POINTS, every=1)
    return out
