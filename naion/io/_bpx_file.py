"""The data of a BPX file: read, checked entry by entry, and handed to `bpx`."""

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..properties import Expression

MOST_NAMED = 6
"""Problems named in one message."""

TABLE = "InterpolatedTable"
"""What `bpx` calls one."""


def load(path: Path) -> tuple[Any, list[str]]:
    """What `bpx` makes of a file, and what a user should know of it.

    Raises:
        ValueError: naming the file and the entry.
        FileNotFoundError: when there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No BPX file {str(path)!r}.")
    try:
        data = _parsed(path)
        if not isinstance(data, dict):
            kind = type(data).__name__
            raise ValueError(f"expected an object with a 'Header', got a {kind}")
        _check_sections(data)
        _check(data)
        return _validated(data)
    except RecursionError:
        raise ValueError(
            f"{path} is not a BPX file: it is nested too deeply."
        ) from None
    except ValueError as error:
        text = str(error).rstrip(".")
        raise ValueError(f"{path} is not a BPX file: {text}.") from None


def _parsed(path: Path) -> Any:
    """JSON in any Unicode encoding, with or without a mark of it; or YAML."""
    raw = path.read_bytes()
    if path.suffix in (".yml", ".yaml"):
        import yaml  # pyright: ignore[reportMissingModuleSource]

        try:
            return yaml.safe_load(raw)
        except yaml.YAMLError as error:
            raise ValueError(f"it is not YAML ({error})") from None
    try:
        return json.loads(raw, object_pairs_hook=_each_once)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not Unicode ({error.reason} {raw[error.start]:#x} at byte "
            f"{error.start}); save it as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice in one object")
        found[name] = value
    return found


def _check_sections(data: dict[str, Any]) -> None:
    """Sections are objects, and none is the user's own."""
    for name in ("Header", "Parameterisation"):
        if name not in data:
            raise ValueError(f"it has no {name!r}")
    for name in ("Header", "Parameterisation", "State"):
        section = data.get(name, {})
        parts = section.items() if isinstance(section, dict) else ()
        below = [(f"{name}: {k}", v) for k, v in parts if name != "Header"]
        for where, part in [(name, section), *below]:
            if not isinstance(part, dict):
                kind = type(part).__name__
                raise ValueError(f"{where} is a {kind}; expected an object")
    version = data["Header"].get("BPX", "")
    if version != "" and str(version).split(".")[0] not in ("0", "1"):
        raise ValueError(
            f"Header: BPX is {version!r}; versions 0 and 1 of the standard can be read"
        )
    own = data["Parameterisation"].get("User-defined", {})
    names = [repr(name) for name in own if name != "description"]
    if names:
        raise ValueError(
            f"naion does not know what its user-defined entries mean: {', '.join(names)}. "
            "Say them in entries of BPX, such as 'OCP (lithiation) [V]', or remove them"
        )


def _leaves(node: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    """Every number and text of the file, with the names on the way to it."""
    items: Any = ()
    if isinstance(node, dict):
        items = node.items()
    elif isinstance(node, list):
        items = enumerate(node)
    else:
        yield where, node
    for name, value in items:
        yield from _leaves(value, (*where, str(name)))


def _check(data: dict[str, Any]) -> None:
    """Numbers are finite, and expressions can be evaluated, wherever they stand.

    `bpx` runs expressions as Python code, so that they are read here first.
    """
    for where, value in _leaves(data):
        name = ": ".join(where)
        if isinstance(value, bool):
            raise ValueError(f"{name} is {str(value).lower()}, not a number")
        if isinstance(value, int | float):
            try:
                finite = math.isfinite(value)
            except OverflowError:
                finite = False
            if not finite:
                what = "too large" if isinstance(value, int) else repr(value)
                raise ValueError(f"{name} is {what}; expected a finite number")
        elif (
            isinstance(value, str)
            and where[0] == "Parameterisation"
            and where[-1] != "description"
        ):
            _check_expression(name, value)


def _check_expression(name: str, text: str) -> None:
    try:
        Expression(text)
    except (ValueError, ArithmeticError, RecursionError, MemoryError) as error:
        shown = text if len(text) < 100 else f"{text[:100]}..."
        if isinstance(error, ValueError) and len(text) < 100:
            raise ValueError(f"{name}: {error}") from None
        raise ValueError(
            f"{name}: {shown!r} cannot be evaluated ({type(error).__name__})"
        ) from None


def _validated(data: dict[str, Any]) -> tuple[Any, list[str]]:
    cautions: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        import bpx

        try:
            if bpx.is_legacy_bpx(data):
                data, said_so = _converted(data)
                cautions.append(said_so)
            found = bpx.parse_bpx_obj(data)
        # It evaluates the file's expressions: anything can come.
        except Exception as error:
            raise ValueError("; ".join(_problems(error))) from None
    for warning in said:
        if not issubclass(warning.category, DeprecationWarning):
            cautions.append(str(warning.message))
    return found, cautions


def _converted(data: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A file of version 0 as one of version 1, with its own `State` where it has one."""
    import bpx

    version = str(data["Header"]["BPX"])
    own = data.get("State")
    data = bpx.convert_v0_to_v1(data)
    if isinstance(own, dict):
        state = data["State"]
        for name, section in own.items():
            known = state.get(name)
            both = isinstance(known, dict) and isinstance(section, dict)
            state[name] = {**known, **section} if both else section
    text = f"it is of BPX {version} and was converted"
    if version.split(".")[1:2] and version.split(".")[1] in ("0", "1", "2"):
        text += (
            "; before 0.3 the standard's rate law had no factor 2, and the reaction "
            "rate constants are taken as they stand"
        )
    return data, text


def _problems(error: Exception) -> list[str]:
    """What is wrong, entry by entry, without the words of the validating library."""
    found = list(dict.fromkeys(_each_problem(error)))
    more = len(found) - MOST_NAMED
    return found[:MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])


def _each_problem(error: Exception, where: tuple[str, ...] = ()) -> Iterator[str]:
    import pydantic

    if not isinstance(error, pydantic.ValidationError):
        text = str(error) if isinstance(error, ValueError) else repr(error)
        yield ": ".join((*where, text))
        return
    problems = error.errors(include_url=False)
    for problem in [p for p in problems if _tells(p)] or problems:
        names = [str(n) for n in problem["loc"] if n not in ("float", TABLE)]
        inner = problem.get("ctx", {}).get("error")
        if isinstance(inner, Exception):
            yield from _each_problem(inner, (*where, *names))
            continue
        given = problem.get("input")
        got = f" (got {given!r})" if isinstance(given, str | int | float) else ""
        yield f"{': '.join((*where, *names))}: {problem['msg']}{got}"


def _tells(problem: Any) -> bool:
    """Whether a problem is one of the kind that was meant, where several are allowed."""
    loc, table = problem["loc"], isinstance(problem.get("input"), dict)
    if "int" in loc or any(str(n).startswith("function-") for n in loc):
        return False
    if loc and loc[-1] == "float":
        return not table
    return not loc or loc[-1] != TABLE or table
