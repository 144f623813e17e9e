"""Derivative programs, compiled once for all tests."""

import numpy as np
import pytest

from .cases import Case


@pytest.fixture(scope="session")
def case(cell, model) -> Case:
    """The function that every test of derivatives uses."""
    return Case(cell, model)


@pytest.fixture(scope="session")
def forward(case) -> np.ndarray:
    """Jacobian in forward mode at rtol = 1e-6, outputs by parameters."""
    return np.asarray(case.forward_program(case.zero, 1e-6)[0])


@pytest.fixture(scope="session")
def reverse(case) -> np.ndarray:
    """Jacobian in reverse mode at rtol = 1e-6, outputs by parameters."""
    return np.asarray(case.reverse_program(case.zero, 1e-6))
