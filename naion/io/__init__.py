"""Files in and out: cells, current profiles, measurements, results."""

from ._bpx import read_bpx
from ._bpx_write import write_bpx
from ._cells import read_cell, write_cell
from ._data import formats, read_data, read_profile
from ._kramers_kronig import KramersKronig, kramers_kronig
from ._pybamm import from_pybamm
from ._spectra import Spectrum, has_spectra, looks_upside_down, read_spectra
from ._tables import (
    delimiter_of,
    read_columns,
    read_measurement,
    write_csv,
)

__all__ = [
    "KramersKronig",
    "Spectrum",
    "delimiter_of",
    "formats",
    "from_pybamm",
    "has_spectra",
    "kramers_kronig",
    "looks_upside_down",
    "read_bpx",
    "read_cell",
    "read_columns",
    "read_data",
    "read_measurement",
    "read_profile",
    "read_spectra",
    "write_bpx",
    "write_cell",
    "write_csv",
]
