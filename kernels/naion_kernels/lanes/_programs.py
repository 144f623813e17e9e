"""Loaded programs: held while something can still call them, and let go then.

JAX keeps what is registered as a custom call for good. So one is for each kind of device,
which calls all programs (`loader.cpp`), and knows which are loaded.
"""

import ctypes
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from .. import _jax
from ._build import Source

TARGET = "naion_lane_program"
"""The custom call; its attribute "program" says which."""

_SOURCE = Path(__file__).with_name("loader.cpp")

_held: weakref.WeakValueDictionary[str, "LoadedProgram"] = weakref.WeakValueDictionary()
_loaders: dict[str, ctypes.CDLL] = {}
_lock = threading.Lock()

Build = Callable[[Source], tuple[str, ctypes.CDLL]]


class LoadedProgram:
    """A program that is loaded as long as this object lives, or an executable calls it.

    Attributes:
        key: its name among programs.
    """

    def __init__(self, key: str, library: ctypes.CDLL, loader: ctypes.CDLL):
        """Load it.

        Raises:
            OSError: with the reason, if that fails.
        """
        self.key = key
        if wrong := loader.hold(key.encode(), library._name.encode()):
            raise OSError(f"a program cannot be loaded: {wrong.decode()}")
        letting_go = weakref.finalize(self, loader.let_go, key.encode())
        letting_go.atexit = False  # then, executables may still run


def hold(key: str, library: ctypes.CDLL, platform: str, build: Build) -> LoadedProgram:
    """A program that is loaded until nothing refers to it.

    Args:
        key: its name.
        library: the program.
        platform: "cpu" or "CUDA".
        build: makes a library from C++, for the loader.

    Raises:
        OSError: with the reason, if it cannot be loaded.
        RuntimeError: if the loader cannot be made.
    """
    with _lock:
        program = _held.get(key)
        if program is None:
            program = LoadedProgram(key, library, _loader(platform, build))
            _held[key] = program
        return program


def loaded() -> int:
    """How many programs are loaded: those to which Python or an executable refers."""
    return sum(loader.loaded() for loader in _loaders.values())


def _loader(platform: str, build: Build) -> ctypes.CDLL:
    """What XLA calls for programs of a platform: made and registered once."""
    if platform not in _loaders:
        _, loader = build(Source(_SOURCE.read_text))
        loader.hold.restype = ctypes.c_char_p
        loader.loaded.restype = ctypes.c_long
        stages = {"instantiate": loader.instantiate, "execute": loader.execute}
        _jax.register_target(TARGET, stages, platform)
        _loaders[platform] = loader
    return _loaders[platform]
