"""What a function is, in words that are the same in every process.

JAX takes seconds to trace a solver. What it found can be kept for the next process if
that can tell that it has the same function: its code is that of Python packages whose
files are the same, and all that it holds besides arrays can be spelled.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import io
import os
import pickle
import re
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import jax

from .. import _jax

LIBRARIES = "jax", "jaxlib", "numpy", "equinox", "jaxtyping"
"""Other packages on whose code functions may depend: their versions stand for it."""

_OURS = __name__.partition(".")[0]
_began = time.time()


class UnknownFunctionError(Exception):
    """A function that another process might not recognise; says why."""


def identity(
    fn: Callable[..., Any], args: Any, packages: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """A function of arguments of given shapes as 32 hexadecimal digits.

    Args:
        fn: the function.
        args: its arguments, with shapes for arrays.
        packages: where all code is on which it depends, besides this package and
            `LIBRARIES`.

    Returns:
        the digits, and the constants of the modules that are loaded, by their name, for
        `are_as_before`: which modules are loaded is not part of what a function is.

    Raises:
        UnknownFunctionError: if others could be meant in another process.
    """
    packages = (*packages, _OURS)
    leaves, structure = jax.tree.flatten(args)
    shapes = [f"{a.dtype} {a.shape} {bool(a.weak_type)}" for a in leaves]
    spelled = _spelled((fn, jax.tree.unflatten(structure, shapes)), packages)
    sources = [_source(package) for package in packages]
    code = [source.digest for source in sources]
    versions = [_version(name) for name in LIBRARIES]
    around = repr((code, versions, sys.version, _jax.settings()))
    modules = _modules(packages)
    _check_all_own(modules, packages, frozenset().union(*(s.imports for s in sources)))
    return hashlib.sha256(spelled + around.encode()).hexdigest()[:32], _constants(
        modules
    )


def are_as_before(now: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """Whether modules that are loaded now have the constants that they had."""
    return all(now.get(name, text) == text for name, text in before.items())


def with_constants(key: str, constants: Mapping[str, str]) -> str:
    """The digits of a function in modules with other constants than usual."""
    return hashlib.sha256(repr((key, constants)).encode()).hexdigest()[:32]


@functools.cache
def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"


class _Speller(pickle.Pickler):
    """A pickler whose results say nothing of the process that made them."""

    def __init__(self, file: io.BytesIO, packages: tuple[str, ...]):
        super().__init__(file)
        self.fast = True  # no references to what came before: they tell equal from same
        self.packages = packages

    def reducer_override(self, obj: Any) -> Any:
        """Refuse code from elsewhere; functions that JAX has wrapped go by their name."""
        if isinstance(obj, type) or hasattr(obj, "__qualname__"):
            home = _home_of(obj)
            known = (*self.packages, *LIBRARIES)
            if home not in known and home not in sys.stdlib_module_names:
                raise UnknownFunctionError(f"{obj!r} is defined in {obj.__module__}")
            return obj.__qualname__ if hasattr(obj, "__wrapped__") else NotImplemented
        if isinstance(obj, _jax.Tracer):
            raise UnknownFunctionError(f"{obj!r} is traced elsewhere")
        return NotImplemented


def _spelled(thing: Any, packages: tuple[str, ...]) -> bytes:
    file = io.BytesIO()
    try:
        _Speller(file, packages).dump(thing)
    except UnknownFunctionError:
        raise
    except Exception as problem:  # whatever somebody's class does when it is pickled
        raise UnknownFunctionError(str(problem)) from None
    return file.getvalue()


class _Source(NamedTuple):
    """The files of a package: a hash of them, and packages that they import."""

    digest: str
    imports: frozenset[str]


def _source(package: str) -> _Source:
    """The files of a package, which are those that this process has loaded.

    Raises:
        UnknownFunctionError: if that cannot be told, as they were written since it began.
    """
    try:
        files = sorted(_folder(package).rglob("*.py"))
        if max(f.stat().st_mtime for f in files) > _began:
            raise UnknownFunctionError(
                f"{package} was changed since this process began"
            )
        return _read(package, tuple(files))
    except (OSError, ValueError) as problem:
        raise UnknownFunctionError(f"the source of {package}: {problem}") from None


@functools.cache
def _read(package: str, files: tuple[Path, ...]) -> _Source:
    folder, digest, imports = _folder(package), hashlib.sha256(), set[bytes]()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder)} {len(content)} ".encode() + content)
        imports.update(_IMPORT.findall(content))
    return _Source(digest.hexdigest(), frozenset(name.decode() for name in imports))


_IMPORT = re.compile(rb"^\s*(?:from|import) (\w+)", re.MULTILINE)


@functools.cache
def _folder(package: str) -> Path:
    """Where a package is."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if len(places) != 1:
        raise UnknownFunctionError(f"{package} is no package in one folder")
    return Path(places[0]).resolve()


def _modules(packages: tuple[str, ...]) -> dict[str, ModuleType]:
    """Modules of packages that are loaded, by name."""
    return {
        name: module
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in packages and isinstance(module, ModuleType)
    }


def _constants(modules: dict[str, ModuleType]) -> dict[str, str]:
    """The constants of each module, as a hash."""
    found = {}
    for name, module in modules.items():
        constants = sorted((k, v) for k, v in vars(module).items() if k.isupper())
        simple = [(k, v) for k, v in constants if isinstance(v, int | float | str)]
        found[name] = hashlib.sha256(repr(simple).encode()).hexdigest()[:16]
    return found


def _check_all_own(
    modules: dict[str, ModuleType], packages: tuple[str, ...], imports: frozenset[str]
) -> None:
    """See that nobody has put a function of his own into one of the modules.

    Raises:
        UnknownFunctionError: if somebody has.
    """
    installed = filter(importlib.util.find_spec, LIBRARIES)
    homes = tuple(f"{_folder(name)}{os.sep}" for name in (*packages, *installed))
    for name, module in modules.items():
        for function in _functions(module):
            home, path = _home_of(function), function.__code__.co_filename
            imported = home in imports and home not in packages
            if not imported and not _is_from(path, home, homes):
                raise UnknownFunctionError(f"{name} holds a function of {path}")


def _home_of(named: Any) -> str:
    """The package in which a function or class says that it is."""
    return str(named.__module__).partition(".")[0]


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Functions of a module, and those of its classes."""
    for value in list(vars(module).values()):
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for own in list(vars(value).values()):
                own = getattr(own, "__func__", own)
                if isinstance(own, FunctionType):
                    yield own


@functools.cache
def _is_from(path: str, home: str, homes: tuple[str, ...]) -> bool:
    """Whether code is in a file of some folders or of Python, or was written by Python."""
    if path == "<string>":  # methods that `dataclass` and `namedtuple` write
        return home != "__main__"
    return path.startswith(homes) or (
        path.startswith(_PYTHON) and "-packages" not in path
    )


_PYTHON = sysconfig.get_path("stdlib"), "<frozen"
