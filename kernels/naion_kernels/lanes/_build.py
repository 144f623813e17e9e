"""Compile C++ to a shared library, once for each source and machine."""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import jax

_HERE = Path(__file__).parent
# Passes that cost much time and bring little here are left out.
_FLAGS = [
    *("-std=c++17", "-shared", "-fPIC", "-march=native", "-w"),
    *("-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-fopenmp-simd"),
    *("-fno-math-errno", "-fno-trapping-math", "-fno-gcse", "-fno-tree-pre"),
    *("-fno-schedule-insns2", "-fno-tree-vrp", "-fno-ipa-sra"),
]

# The vector mathematics of glibc, which lane.hpp uses on this processor only.
_LIBRARIES = ["-lmvec", "-lm"] if platform.machine() == "x86_64" else ["-lm"]

WIDTH = 8
"""Lanes that run at once where there are that many."""


def compiler() -> str | None:
    """Path of GCC's C++ compiler, `CXX` or g++, on Linux; none elsewhere.

    Generated programs use GCC's vectors and XLA's interface as it is on Linux.
    """
    path = shutil.which(os.environ.get("CXX", "g++"))
    usable = path is not None and platform.system() == "Linux"
    return path if usable and "Free Software Foundation" in _version(path) else None


@functools.cache
def _version(path: str) -> str:
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout


def folder() -> Path:
    """Where compiled libraries are kept: `NAION_KERNEL_CACHE` or ~/.cache/naion."""
    given = os.environ.get("NAION_KERNEL_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "naion" / "kernels"


@functools.cache
def _circumstances() -> bytes:
    """What else than the source a compiled library depends on."""
    cxx = compiler()
    assert cxx is not None
    version = _version(cxx).encode()
    headers = b"".join(p.read_bytes() for p in sorted(_HERE.glob("*.hpp")))
    cpu = Path("/proc/cpuinfo")
    flags = [s for s in cpu.read_text().splitlines() if s.startswith(("flags", "Feat"))]
    machine = platform.machine() + "".join(flags[:1]) if cpu.exists() else ""
    text = f"{machine}{_FLAGS}{jax.__version__}"
    return version + headers + text.encode()


def build(source: str) -> tuple[str, ctypes.CDLL]:
    """The library made from a C++ source, and a name that belongs to it alone.

    Raises:
        RuntimeError: if the compiler fails; its message is passed on.
    """
    key = hashlib.sha256(source.encode() + _circumstances()).hexdigest()[:32]
    path = folder() / f"{key}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _compile(source, path)
    return key, ctypes.CDLL(str(path))


def _compile(source: str, path: Path) -> None:
    cxx = compiler()
    assert cxx is not None
    # Built aside and moved, so that processes that build the same never meet half a file.
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        text, made = Path(aside) / "lane.cpp", Path(aside) / "lane.so"
        text.write_text(source)
        include = ["-I", str(_HERE), "-I", jax.ffi.include_dir()]
        command = [cxx, *_FLAGS, *include, str(text), "-o", str(made), *_LIBRARIES]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"{cxx} failed on a generated lane program:\n{done.stderr[:4000]}"
            )
        os.replace(made, path)
