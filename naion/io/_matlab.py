"""Vectors in MATLAB files, version 4 to 7, as a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

DataFrame: TypeAlias = Any
"""Of pandas, as in `_sources`."""

HDF5 = b"\x89HDF\r\n\x1a\n"
"""Begins a file of version 7.3, behind 512 bytes of text or at once."""

DEEPEST = 3
"""Structures within structures that are looked into."""

SHOWN = 12


def vectors_of(path: Path) -> DataFrame:
    """The vectors of a MATLAB file that are as long as most of them, by their names.

    Variables, and fields of structures, which are called by their own name where it is the
    only one, such as "voltage_V", else with that of the structure, "cell.voltage_V".

    Raises:
        ValueError: for what is no such file, is damaged or cut off, or has no vectors.
    """
    import pandas as pd

    found = list(_vectors("", _variables(path), 0))
    if not found:
        raise ValueError(
            f"{path}: no vectors in this MATLAB file, which has {_named(path)}; expected "
            "some of equal length, such as time_s, current_A and voltage_V, as variables "
            "or as fields of a structure."
        )
    lengths = [len(v) for _, v in found]
    rows = max(sorted(set(lengths), reverse=True), key=lengths.count)
    chosen = {name: v for name, v in found if len(v) == rows}
    short = [name.rpartition(".")[2] for name in chosen]
    names = [
        s if short.count(s) == 1 else n for n, s in zip(chosen, short, strict=True)
    ]
    return pd.DataFrame(dict(zip(names, chosen.values(), strict=True)))


def _variables(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    content = path.read_bytes()
    if HDF5 in content[:1024]:
        raise ValueError(
            f"{path} is a MATLAB file of version 7.3 (HDF5); expected version 7: save it "
            "with save(..., '-v7')."
        )
    if not content:
        raise ValueError(f"{path}: empty; expected a MATLAB file.")
    try:
        read = loadmat(path, squeeze_me=True, struct_as_record=False)
    except Exception as error:
        # Whatever SciPy meets in a file, it is the file's.
        is_one = content.startswith(b"MATLAB")
        why = "damaged or cut off" if is_one else "no MATLAB file"
        said = " ".join(str(error).split())[:120]
        raise ValueError(
            f"{path} cannot be read: it is {why} ({type(error).__name__}: {said}). Save it "
            "again with save(..., '-v7'), or as CSV."
        ) from None
    return {k: v for k, v in read.items() if not k.startswith("__")}


def _vectors(name: str, node: Any, depth: int) -> Iterator[tuple[str, np.ndarray]]:
    fields = node if isinstance(node, dict) else getattr(node, "__dict__", None)
    if isinstance(node, np.ndarray):
        of_numbers = node.dtype.kind in "fiub"
        of_text = node.dtype.kind in "US" or all(isinstance(x, str) for x in node.flat)
        if node.ndim == 1 and len(node) > 1 and (of_numbers or of_text):
            yield name, node
    elif fields is not None and depth <= DEEPEST:
        for key, value in fields.items():
            if not key.startswith("_"):
                yield from _vectors(f"{name}.{key}" if name else key, value, depth + 1)


def _named(path: Path) -> str:
    """Its variables and their shapes, in words."""
    from scipy.io import whosmat

    found = [f"{n} ({'x'.join(map(str, s))} {kind})" for n, s, kind in whosmat(path)]
    more = len(found) - SHOWN
    listed = ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return listed or "no variables"
