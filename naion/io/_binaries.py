"""Binary files of cyclers that naion does not open, and what to export instead."""

import re
from pathlib import Path

EXPORTS = {
    ".mpr": (
        "BioLogic EC-Lab's binary",
        "in EC-Lab: Experiment, Export as Text, a .mpt",
    ),
    ".mps": (
        "BioLogic EC-Lab's settings",
        "the record, from EC-Lab: Export as Text, a .mpt",
    ),
    ".res": ("Arbin's database", "in MITS Pro: Data Watcher, to CSV or Excel"),
    ".nda": ("Neware's binary", "in BTSDA: Export, CSV or Excel of the records"),
    ".ndax": ("Neware's binary", "in BTSDA: Export, CSV or Excel of the records"),
    ".cex": ("Landt's binary", "in LANDdt: Export, CSV or text of the records"),
    ".ccs": ("Landt's binary", "in LANDdt: Export, CSV or text of the records"),
    ".idf": ("Ivium's binary", "in IviumSoft: the data as text or CSV"),
    ".h5": ("HDF5", "the columns as CSV or Parquet"),
    ".hdf5": ("HDF5", "the columns as CSV or Parquet"),
    ".feather": ("Feather", "the table as Parquet (pandas: to_parquet) or CSV"),
    ".pkl": ("a pickle of Python", "the table as Parquet (pandas: to_parquet) or CSV"),
    ".npz": ("arrays of NumPy", "the columns as CSV or Parquet"),
    ".db": ("a database", "the records as CSV"),
    ".sqlite": ("a database", "the records as CSV"),
}
"""What files with an ending are, and what to export, in words."""

MACCOR = "Maccor's binary", "in MIMS or MacReport: the record as text (Export, ASCII)"
"""Its files end with the number of the channel."""

LOOKED_AT = 4096
"""Bytes in which text has no zero."""


def remedy(path: Path) -> str:
    """What a binary file is and what to export instead, as a sentence; else nothing."""
    suffix = path.suffix.lower()
    known = EXPORTS.get(suffix)
    if known is None and re.fullmatch(r"\.\d{3}", suffix):
        known = MACCOR
    return "" if known is None else f"It seems to be {known[0]}; export {known[1]}."


def refuse_binary(path: Path) -> None:
    """Raise for a binary file of a kind that is known and not read.

    Raises:
        ValueError: saying what to export.
    """
    said = remedy(path)
    # Text with such an ending is read.
    if said and path.is_file() and not is_text(path):
        raise ValueError(f"{path} is a binary file that naion does not read. {said}")


def is_text(path: Path) -> bool:
    """Whether a file begins as text does, whatever its ending: no zeros, or UTF-16."""
    with path.open("rb") as file:
        begins = file.read(LOOKED_AT)
    return b"\0" not in begins or begins[:2] in (b"\xff\xfe", b"\xfe\xff")
