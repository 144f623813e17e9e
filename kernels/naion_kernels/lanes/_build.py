"""Compile C++ or CUDA to a shared library, once for each source and machine."""

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from .. import _jax
from . import _kept
from ._libraries import library

_HERE = Path(__file__).parent

WIDTH = 8
"""Lanes that run at once where vectors pay."""


class _Way(NamedTuple):
    """How a compiler is called.

    Attributes:
        question: arguments that make it say what its results depend on.
        flags: how it compiles.
        libraries: what it links.
        file: name of the source.
    """

    question: tuple[str, ...]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    file: str


_CPU = _Way(
    # Its version, and what -march=native means here: all instructions that it may use.
    ("-###", "-march=native", "-E", "-x", "c++", os.devnull),
    # The passes of -O2 make these programs no faster, and take half as long again. But
    # without its vzeroupper every call of the C library that follows vectors stalls Intel
    # processors.
    (
        *("-std=c++17", "-shared", "-fPIC", "-march=native", "-w"),
        *("-O1", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-fopenmp-simd"),
        *("-fno-math-errno", "-fno-trapping-math", "-fexpensive-optimizations"),
        "-fwrapv",  # integers that are too large wrap, as XLA's
    ),
    # The vector mathematics of glibc, which lane.hpp uses on this processor only.
    ("-lmvec", "-lm") if platform.machine() == "x86_64" else ("-lm",),
    "lane.cpp",
)
_CUDA = _Way(
    ("--version",),
    (
        *("-std=c++17", "-shared", "-Xcompiler", "-fPIC", "-w", "-O2", "-x", "cu"),
        *("--expt-relaxed-constexpr", "-cudart", "shared"),
    ),
    (),
    "lane.cu",
)

_SANITISERS = (
    *(
        "-fsanitize=address,undefined",
        "-fno-sanitize=null",
        "-fno-sanitize-recover=all",
    ),
    "-fno-omit-frame-pointer",
)
"""What `make sanitise` compiles with, besides."""

PATIENCE = 30.0
"""A compiler that hardly computes for so long hangs [s]."""

LONGEST = 3600.0
"""One that computes for so long will not end [s]. On busy machines minutes are usual."""

_hung: set[str] = set()


class NoCompilerError(RuntimeError):
    """There is no compiler that can be used; says why."""


def find_compiler() -> str:
    """Path of GCC's C++ compiler, `CXX` or g++, on Linux.

    Generated programs use GCC's vectors and XLA's interface as it is on Linux.

    Raises:
        NoCompilerError: if there is none.
    """
    found = _gcc(os.environ.get("CXX") or "g++", os.environ.get("PATH"))
    if isinstance(found, NoCompilerError):
        raise found
    return found


def has_long_vectors() -> bool:
    """Whether this processor has vectors of 512 bits, and there is a compiler for them.

    Shorter ones pay only where lanes share most of the work. With 256 bits a batch of
    eight discharges takes four times as long in vectors as lane by lane, and ten times as
    long to compile; a Jacobian by eight parameters half as long.
    """
    try:
        return "-mavx512f" in _answer(find_compiler(), *_CPU.question)[1].split()
    except NoCompilerError:
        return False


@functools.cache
def _gcc(given: str, places: str | None) -> str | NoCompilerError:
    if platform.system() != "Linux":
        return NoCompilerError(f"they are made on Linux, not on {platform.system()}")
    path = shutil.which(given, path=places)
    if path is None:
        return NoCompilerError(f"the C++ compiler {given!r} is not found")
    status, said = _answer(path, *_CPU.question)
    if status:
        return NoCompilerError(f"{path} cannot be used: {said}")
    if "gcc version" not in said:
        return NoCompilerError(f"{path} is not GCC's C++ compiler")
    return path


@functools.cache
def _answer(path: str, *question: str) -> tuple[int, str]:
    """Exit status and answer of a compiler that is asked about itself."""
    try:
        status, said = _run([path, *question])
    except (OSError, RuntimeError) as problem:
        return 1, str(problem)
    return status, said if status == 0 else _failure(status, said)


def find_cuda_compiler() -> str:
    """Path of NVIDIA's compiler: `NVCC`, nvcc, or that below `CUDA_HOME`.

    Raises:
        NoCompilerError: if there is none.
    """
    home = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    given = os.environ.get("NVCC") or "nvcc"
    path = shutil.which(given) or shutil.which(home / "bin" / "nvcc")
    if path is None:
        raise NoCompilerError(f"NVIDIA's compiler {given!r} is not found")
    return path


@functools.cache
def _circumstances(path: str, way: _Way) -> bytes:
    """What else than its source a compiled library depends on."""
    status, about = _answer(path, *way.question)
    if status:
        raise RuntimeError(f"{path} cannot be used: {about}")
    headers = b"".join(p.read_bytes() for p in sorted(_HERE.glob("*.hpp")))
    machine = platform.machine(), *platform.libc_ver()
    rest = about, *machine, *_jax.versions(), *way.flags, *way.libraries
    return headers + "\n".join(rest).encode()


class Source:
    """Text of a program, which is written when it is first asked for.

    Attributes:
        name: stands for it in every process; none if nothing does.
    """

    def __init__(self, write: Callable[[], str], name: str | None = None):
        self._write, self.name = write, name

    @functools.cached_property
    def text(self) -> str:
        """The program."""
        return self._write()


def build(source: Source) -> tuple[str, ctypes.CDLL]:
    """The library made from a C++ source for this CPU, and a name of its own.

    Raises:
        RuntimeError: if there is no compiler, or if it hangs or fails, with its message.
        OSError: if there is no folder to compile in.
    """
    sanitised = os.environ.get("NAION_KERNELS_SANITISE") == "1"
    way = _CPU._replace(flags=_CPU.flags + _SANITISERS) if sanitised else _CPU
    return _built(source, find_compiler(), way)


def build_cuda(source: Source, capability: str) -> tuple[str, ctypes.CDLL]:
    """The same from a CUDA source, for GPUs of a compute capability such as "9.0"."""
    flags = (*_CUDA.flags, f"-arch=sm_{capability.replace('.', '')}")
    return _built(source, find_cuda_compiler(), _CUDA._replace(flags=flags))


def _built(source: Source, path: str, way: _Way) -> tuple[str, ctypes.CDLL]:
    about = _circumstances(path, way)
    key = _key(source, about)

    def make(made: Path) -> None:
        text = made.with_name(way.file)
        text.write_text(source.text)
        include = ["-I", str(_HERE), "-I", _jax.include_folder()]
        files = [*include, str(text), "-o", str(made)]
        status, said = _run([path, *way.flags, *files, *way.libraries])
        if status or not made.exists():
            said = said.replace(f"{made.parent}/", "")
            raise RuntimeError(f"{path} failed: {_failure(status, said)}")

    if folder := os.environ.get("NAION_KERNELS_DUMP"):
        _dump(source.text, Path(folder) / f"{key}{Path(way.file).suffix}")
    return key, library(key, make)


def _key(source: Source, about: bytes) -> str:
    """The name of a library, that of its source and of what else it depends on.

    That of a source with a name is kept: then it need not be written to be found.
    """
    if source.name is None:
        return _digits(source.text, about)
    file = f"{_digits(source.name, about)}.known"
    if found := _kept.read(file):
        return found[1].decode()
    key = _digits(source.text, about)
    with contextlib.suppress(OSError):  # said where the library cannot be kept
        _kept.write(file, key.encode())
    return key


def _digits(text: str, about: bytes) -> str:
    return hashlib.sha256(text.encode() + about).hexdigest()[:32]


def _dump(source: str, path: Path) -> None:
    """Write a source where its reader asked for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def _failure(status: int, said: str) -> str:
    ended = f"exit status {status}" if status >= 0 else f"signal {-status}"
    return f"{ended}, {said.strip()[:2000] or 'without a word'}"


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Exit status of a command, and what it says.

    Raises:
        RuntimeError: if it cannot be started or hangs; it and what it started are ended
            then, and it is not tried again in this process.
    """
    path = command[0]
    if path in _hung:
        raise RuntimeError(f"{path} hangs")
    # To a file: what a compiler has started could hold a pipe open for ever.
    with tempfile.TemporaryFile() as answer:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )
        except OSError as problem:
            raise RuntimeError(f"{path} cannot be run: {problem.strerror}") from None
        try:
            status = _ended(process)
        except BaseException as problem:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(problem, subprocess.TimeoutExpired):
                raise
            _hung.add(path)
            raise RuntimeError(f"{path} hangs") from None
        answer.seek(0)
        return status, answer.read().decode(errors="replace")


def _ended(process: subprocess.Popen) -> int:
    """Exit status, once there is one.

    Raises:
        subprocess.TimeoutExpired: if it hangs.
    """
    began, before = time.monotonic(), 0.0
    while True:
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            now = _computed(process.pid)
            if now - before < 0.01 * PATIENCE or time.monotonic() - began > LONGEST:
                raise
            before = now


def _computed(session: int) -> float:
    """What the processes of a session have taken of processors so far [s]."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # Behind the name: its session is the 4th field, the times are the 12th to 15th.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
