"""Figures as people make them: known to pyplot, so that notebooks and `show` find them."""

import io
from typing import Any

import numpy as np


def new_figure(width: float, height: float) -> Any:
    """An empty figure of Matplotlib's pyplot.

    Args:
        width, height: of the figure [inch].
    """
    from matplotlib import pyplot

    return pyplot.figure(figsize=(width, height), layout="constrained")


def checked_axes(axes: Any, count: int) -> Any:
    """Axes as given, if there are so many.

    Raises:
        TypeError: for anything but axes.
        ValueError: for the wrong number of axes.
    """
    if not all(hasattr(axis, "plot") for axis in np.ravel(axes)):
        raise TypeError(
            f"axes = {axes!r:.60}; expected axes of Matplotlib. What is drawn is chosen by "
            'the function; one quantity by name: `plt.plot(s["Time [h]"], s["Voltage [V]"])`.'
        )
    if np.size(axes) != count:
        raise ValueError(f"This figure needs {count} axes, got {np.size(axes)}.")
    return axes


def content_of(figure: Any, form: str = "png", dpi: float = 110) -> bytes:
    """A figure as the content of a file, for commands and reports: pyplot forgets it.

    Args:
        figure: of Matplotlib.
        form: such as "png" or "svg".
        dpi: dots per inch.
    """
    from matplotlib import pyplot

    content = io.BytesIO()
    figure.savefig(content, format=form, dpi=dpi)
    pyplot.close(figure)
    return content.getvalue()
