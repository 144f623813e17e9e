"""`naion doctor`."""

import argparse
from pathlib import Path

import jax

from naion_kernels import lanes, try_writing

from .._cache import jax_folder
from .._version import __version__


def options(p: argparse.ArgumentParser) -> None:
    """None."""


def command(arguments: argparse.Namespace) -> int:
    """Say what naion finds on this machine."""
    print(f"naion {__version__}, jax {jax.__version__}")
    print(f"devices: {', '.join(str(d) for d in jax.devices())}")
    print(f"float64: {'on' if jax.config.values['jax_enable_x64'] else 'off'}")
    for name, find in (
        ("compilation cache", lambda: _written_to(jax_folder())),
        ("kernel cache", lambda: _written_to(lanes.folder())),
        ("kernels", lanes.trial),
    ):
        try:
            print(f"{name}: {find()}")
        except (OSError, RuntimeError, ValueError) as problem:
            print(f"{name}: none. {problem}")
    return 0


def _written_to(folder: Path) -> Path:
    try_writing(folder)
    return folder
