"""Write solutions to files, and read them back unchanged."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import jax.numpy as jnp
import numpy as np

from .._files import write_whole
from ..models import DFN, Equations
from ..physics.surface import Unknown
from ..solvers import Record
from ..systems import Outputs
from ._cycles import Cycles

if TYPE_CHECKING:
    from ._solution import Solution

FORMAT = "naion-solution-7"

_OUTPUTS = "end", "least", "greatest"
_ARRAYS = (
    *("final", "t_end", "outcome", "n_steps", "n_rejected", "cycle"),
    *_OUTPUTS,
)


def save(
    s: "Solution",
    path: Path | str,
    kind: str = "Solution",
    own: Mapping[str, Sequence[int]] | None = None,
) -> None:
    """Write a solution, and further whole numbers with it.

    Args:
        s: the solution.
        path: path of the file.
        kind: name of the class that can load it.
        own: further numbers to keep, by name.
    """
    about = {
        "format": FORMAT,
        "kind": kind,
        "own": dict(own or {}),
        "model": s.model.to_json(),
        "surface": s.equations.surface,
        "sides": s.equations.sides,
        "has_pores": s.equations.has_pores,
        "cautions": s.cautions,
    }
    parts = {"record": s.record, "of_cycles": s.of_cycles}
    arrays: Any = {
        f"{name}.{k}": np.asarray(a)
        for name, part in parts.items()
        if part is not None
        for k, a in part._asdict().items()
    }
    arrays |= {k: np.asarray(getattr(s, k)) for k in _ARRAYS}
    content = io.BytesIO()
    np.savez_compressed(content, about=np.array(json.dumps(about)), **arrays)
    write_whole(path, content.getvalue())


def load(
    path: Path | str, kind: str = "Solution"
) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """The fields of the solution that `save` wrote, and the numbers kept with it.

    Raises:
        ValueError: when the file is not a saved solution, or one of another kind.
    """
    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            arrays = {k: file[k] for k in file.files if k != "about"}
        assert about.pop("format") == FORMAT
        record = Record(
            **{k: jnp.asarray(arrays[f"record.{k}"]) for k in Record._fields}
        )
        kept = any(k.startswith("of_cycles.") for k in arrays)
        sums = {k: arrays[f"of_cycles.{k}"] for k in Cycles._fields} if kept else None
        rest: Any = {k: jnp.asarray(arrays[k]) for k in _ARRAYS}
    except (
        AssertionError,
        KeyError,
        ValueError,
        EOFError,
        OSError,
        BadZipFile,
    ) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"{path} is not a solution that `Solution.save` of this version wrote."
        ) from None
    if about["kind"] != kind:
        raise ValueError(
            f"{path} holds a {about['kind']}: expected a {kind}. Use "
            f"`{about['kind']}.load`."
        )
    equations = Equations(
        DFN.from_json(about["model"]),
        tuple(Unknown(*unknown) for unknown in about["surface"]),
        tuple(about["sides"]),
        about["has_pores"],
    )
    outputs = {k: Outputs(*rest.pop(k)) for k in _OUTPUTS}
    fields = (
        rest
        | outputs
        | {
            "record": record,
            "of_cycles": None if sums is None else Cycles(**sums),
            "equations": equations,
            "cautions": tuple(about["cautions"]),
        }
    )
    return fields, {name: tuple(numbers) for name, numbers in about["own"].items()}
