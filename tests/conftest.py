"""What every test shares: float64, one small mesh, and the cells.

Rank promotion stays allowed: the library broadcasts a vector of nodes over shells.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

import naion as na
from naion.fit import _evaluate
from naion_kernels import lanes

na.enable_x64()  # both workers, and what they start, compile a program once
if not lanes.has_compiler():
    os.environ.setdefault("NAION_KERNELS", "off")  # and no word about it

SETS = ("nfm_hc_18650", "nmc811_chen2020", "nvpf_hc_chayambuka2022")


@pytest.fixture(scope="session")
def mesh() -> na.Mesh:
    """The mesh that tests share, so that they also share compiled programs."""
    return na.Mesh(4, 3, 4, 10)


@pytest.fixture(scope="session")
def model(mesh) -> na.DFN:
    """Isothermal model on the shared mesh."""
    return na.DFN(mesh=mesh)


@pytest.fixture(scope="session")
def lumped(mesh) -> na.DFN:
    """Model with a heat balance on the shared mesh."""
    return na.DFN(mesh=mesh, thermal=na.Lumped())


@pytest.fixture(scope="session")
def cell() -> na.parameters.Cell:
    """The sodium-ion cell with contact resistance, entropy and activation energies."""
    return na.parameters.load("nfm_hc_18650")


@pytest.fixture(params=SETS)
def any_cell(request) -> na.parameters.Cell:
    """Each published set in turn."""
    return na.parameters.load(request.param)


class Derivatives(NamedTuple):
    """Of a number, by every component of a vector: in both modes, and by differences."""

    forward: np.ndarray
    reverse: np.ndarray
    differences: np.ndarray


@pytest.fixture(scope="session")
def derivatives() -> Callable[..., Derivatives]:
    """`Derivatives` of a function of a vector, at a vector, with steps of a size.

    Differences are of the values that come with the forward derivatives, so that there
    are three native programs: steps, their tangents and their cotangents. That values are
    those of a plain simulation is a test of its own, in tests/gradients.
    """

    def of(fn, at, step) -> Derivatives:
        along = jax.jit(lambda x, e: jax.jvp(fn, (x,), (e,)))
        at = np.asarray(at, float)
        moves = np.diag(np.broadcast_to(step, at.shape))
        forward = [along(at, e)[1] for e in np.eye(len(at))]
        apart = [along(at + h, h)[0] - along(at - h, h)[0] for h in moves]
        differences = np.array(apart) / (2.0 * np.diag(moves))
        reverse = jax.jit(jax.grad(fn))(at)
        return Derivatives(np.array(forward), np.asarray(reverse), differences)

    return of


MOST_MAPPED = 20_000
"""Memory maps of a process before its programs are forgotten; Linux allows 65,530."""


def _mapped() -> int:
    maps = Path("/proc/self/maps")
    return maps.read_bytes().count(b"\n") if maps.is_file() else 0


@pytest.fixture(scope="module", autouse=True)
def _few_programs():
    """Forget programs before there are too many: a process can map so many and no more."""
    yield
    if not lanes.enabled() or _mapped() > MOST_MAPPED:
        _evaluate._programs.cache_clear()
        jax.clear_caches()


@pytest.fixture(scope="session", autouse=True)
def _x64():
    assert jax.config.read("jax_enable_x64")
