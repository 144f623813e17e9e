"""Figures that commands write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._files import writable, write_whole
from .._pictures import content_of


def check_figure(path: Path, inputs: Iterable[Path | str | None]) -> None:
    """Refuse a figure that cannot be written, before the work.

    Args:
        path: of the figure.
        inputs: what the command reads.

    Raises:
        ValueError: for an ending that matplotlib does not write, or a file that is read.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise ValueError(
            f"--plot {path}: no figure ends with {path.suffix!r}; known are "
            f"{', '.join(sorted(known))}."
        )
    writable(path, inputs)


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure, whole or not at all, and say so."""
    write_whole(
        path, content_of(figure, path.suffix.lower().removeprefix("."), dpi=150)
    )
    print(f"wrote {path}")
