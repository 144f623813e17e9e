"""What takes minutes and is not asked here: fits, audits and the like, once accepted."""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import naion as na
from naion.cli import _claims, _demo, _fit_file, _fleet, _predict, _run, _simulations

from .good import tiny


class Accepted(SystemExit):
    """The input was accepted, and the long work would begin."""


def _accepted(*args: Any, **options: Any) -> Any:
    raise Accepted(0)


@contextlib.contextmanager
def taken() -> Iterator[None]:
    """Simulations on the smallest mesh; what is longer ends where it begins, status 0."""

    def small(thermal: Any) -> na.DFN:
        return na.DFN(tiny().mesh, thermal)

    long = (
        (_fit_file, "least_squares"),
        (_fleet, "fleet"),
        (_simulations, "run"),
        (_claims, "audit"),
        (_demo, "demo"),
        (_predict, "ensemble"),
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(_run, "DFN", small))
        for module, name in long:
            stack.enter_context(mock.patch.object(module, name, _accepted))
        yield
