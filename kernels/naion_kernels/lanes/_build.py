"""Compile C++ or CUDA to a shared library, once for each source and machine."""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jax

_HERE = Path(__file__).parent
# The passes of -O2 make these programs no faster, and take half as long again. But without
# its vzeroupper every call of the C library that follows vectors stalls Intel processors.
_FLAGS = [
    *("-std=c++17", "-shared", "-fPIC", "-march=native", "-w"),
    *("-O1", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-fopenmp-simd"),
    *("-fno-math-errno", "-fno-trapping-math", "-fexpensive-optimizations"),
]
_CUDA_FLAGS = [
    *("-std=c++17", "-shared", "-Xcompiler", "-fPIC", "-w", "-O2", "-x", "cu"),
    *("--expt-relaxed-constexpr", "-cudart", "shared"),
]

# The vector mathematics of glibc, which lane.hpp uses on this processor only.
_LIBRARIES = ["-lmvec", "-lm"] if platform.machine() == "x86_64" else ["-lm"]

WIDTH = 8
"""Lanes that run at once where there are that many."""


def compiler() -> str | None:
    """Path of GCC's C++ compiler, `CXX` or g++, on Linux; none elsewhere.

    Generated programs use GCC's vectors and XLA's interface as it is on Linux.
    """
    return _gcc(os.environ.get("CXX", "g++"))


@functools.cache
def _gcc(name: str) -> str | None:
    path = shutil.which(name)
    usable = path is not None and platform.system() == "Linux"
    return path if usable and "Free Software Foundation" in _version(path) else None


def cuda_compiler() -> str | None:
    """Path of NVIDIA's compiler: `NVCC`, nvcc, or that below `CUDA_HOME`; or none."""
    home = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    given = os.environ.get("NVCC", "nvcc")
    return shutil.which(given) or shutil.which(home / "bin" / "nvcc")


@functools.cache
def _version(path: str) -> str:
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout


def folder() -> Path:
    """Where compiled libraries are kept: `NAION_KERNEL_CACHE` or ~/.cache/naion."""
    given = os.environ.get("NAION_KERNEL_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "naion" / "kernels"


@functools.cache
def _circumstances(cxx: str) -> bytes:
    """What else than source and command a compiled library depends on."""
    version = _version(cxx).encode()
    headers = b"".join(p.read_bytes() for p in sorted(_HERE.glob("*.hpp")))
    cpu = Path("/proc/cpuinfo")
    flags = [s for s in cpu.read_text().splitlines() if s.startswith(("flags", "Feat"))]
    machine = platform.machine() + "".join(flags[:1]) if cpu.exists() else ""
    return version + headers + f"{machine}{jax.__version__}".encode()


def build(source: str) -> tuple[str, ctypes.CDLL]:
    """The library made from a C++ source for this CPU, and a name of its own.

    Raises:
        RuntimeError: if the compiler fails; its message is passed on.
    """
    cxx = compiler()
    assert cxx is not None
    return _built(source, cxx, _FLAGS, _LIBRARIES, "lane.cpp")


def build_cuda(source: str, capability: str) -> tuple[str, ctypes.CDLL]:
    """The same from a CUDA source, for GPUs of a compute capability such as "9.0"."""
    nvcc = cuda_compiler()
    assert nvcc is not None
    flags = [*_CUDA_FLAGS, f"-arch=sm_{capability.replace('.', '')}"]
    return _built(source, nvcc, flags, [], "lane.cu")


def _built(
    source: str, cxx: str, flags: Sequence[str], libraries: Sequence[str], name: str
) -> tuple[str, ctypes.CDLL]:
    about = _circumstances(cxx) + " ".join([*flags, *libraries]).encode()
    key = hashlib.sha256(source.encode() + about).hexdigest()[:32]
    path = folder() / f"{key}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Built aside and moved, so that processes that build the same never meet half
        # a file.
        with tempfile.TemporaryDirectory(dir=path.parent) as aside:
            text, made = Path(aside) / name, Path(aside) / "lane.so"
            text.write_text(source)
            include = ["-I", str(_HERE), "-I", jax.ffi.include_dir()]
            command = [cxx, *flags, *include, str(text), "-o", str(made), *libraries]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(
                    f"{cxx} failed on a generated lane program:\n{done.stderr[:4000]}"
                )
            os.replace(made, path)
    return key, ctypes.CDLL(str(path))
