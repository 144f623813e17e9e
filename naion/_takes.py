"""Arguments of the kinds that functions say they take, or an error that says which."""

import functools
import inspect
import os
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin

P = ParamSpec("P")
R = TypeVar("R")

SUCH_AS = {
    "Audited": "naion.claims.audited_cell(file)",
    "Bill": "naion.cost.bill(design)",
    "Blueprint": 'naion.design.load("nfm_18650")',
    "Cell": 'naion.load("nfm_hc_18650")` or `naion.io.read_cell(file)[0]',
    "Climate": 'naion.duty.CLIMATES["berlin"]',
    "Cycle": "naion.duty.load_cycle(name)",
    "DFN": "naion.DFN(thermal=naion.Lumped())",
    "Design": 'naion.design.load("nfm_18650").design()',
    "Duty": 'naion.duty.load("car")',
    "Fit": "naion.fit.least_squares(problem)",
    "Law": "naion.life.fit_law().law",
    "Pack": "naion.pack.build([[cell, cell]])",
    "PriceList": 'naion.cost.load("china_2026_06")',
    "Problem": "naion.fit.Problem(specimen, free, tests)",
    "Protocol": 'naion.Protocol(["Discharge at 1C until 2 V"])',
    "Row": "naion.life.rows()[0]",
    "Solution": "naion.simulate(cell, protocol)",
    "Use": "naion.life.Use(temperature=25.0, rate=0.5)",
}
"""Where to get one, by the name of its class."""


class _Kind(NamedTuple):
    """What a parameter takes: instances of classes, or many of them in a container.

    `names` are of classes that cannot be imported where they are annotated.
    """

    classes: tuple[type, ...] = ()
    names: tuple[str, ...] = ()
    container: type | None = None

    def has(self, given: Any) -> bool:
        """Whether something is of this kind, as one."""
        return isinstance(given, self.classes) or any(
            c.__name__ in self.names for c in type(given).__mro__
        )


def takes(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse arguments that are not what the annotations of a function name.

    Looked at are parameters that take classes of naion, texts, or sequences and mappings
    of these; numbers and arrays are left to those who know their ranges.

    Raises (when it is called):
        TypeError: with what was given, what is expected and where to get one.
    """
    signature = inspect.signature(function)
    kinds = {}
    for name, parameter in signature.parameters.items():
        kind = _kind(parameter.annotation)
        if kind is not None:
            kinds[name] = kind

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # Python names what is missing
        for name, kind in kinds.items():
            if name in given and given[name] is not signature.parameters[name].default:
                _check(name, given[name], kind)
        return function(*args, **kwargs)

    return checked


INSTEAD = dict.fromkeys(
    ("soc", "initial_soc"),
    'start=0.5 (a state of charge from 0 to 1), "charged" or "discharged"',
)
"""What simulations take instead of words that others use for it."""


def start_is_said(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse other words for the start of a simulation, naming the one that it takes.

    Raises (when it is called):
        TypeError: for the words in `INSTEAD`.
    """

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for word in INSTEAD.keys() & kwargs.keys():
            raise TypeError(
                f"{function.__name__}() takes no {word!r}: use {INSTEAD[word]}."
            )
        return function(*args, **kwargs)

    return checked


def _kind(annotation: Any) -> _Kind | None:
    """What an annotation lets pass, where all of it can be looked at."""
    origin = get_origin(annotation)
    parts = get_args(annotation)
    if origin in (Union, types.UnionType):
        kinds = [_kind(part) for part in parts]
        known = [k for k in kinds if k is not None and k.container is None]
        if len(known) < len(kinds):
            return None
        return _Kind(sum((k.classes for k in known), ()))
    if origin in (Sequence, Iterable, Mapping):
        inner = _kind(parts[-1])
        if inner is not None and inner.container is None:
            return inner._replace(container=origin)
        # Of what is in a sequence nothing is known, and an array would do.
        return _Kind((object,), container=Mapping) if origin is Mapping else None
    if isinstance(annotation, str):
        return _Kind(names=(annotation,)) if annotation in SUCH_AS else None
    if not isinstance(annotation, type):
        return None
    if annotation is Path:
        return _Kind((os.PathLike,))  # whatever names a file
    own = annotation.__module__.partition(".")[0] == "naion"
    return _Kind((annotation,)) if own or annotation in PLAIN else None


PLAIN = str, types.NoneType


def _check(name: str, given: Any, kind: _Kind) -> None:
    if kind.container is None:
        if not kind.has(given):
            raise TypeError(_refusal(name, given, kind))
        return
    if isinstance(given, str | bytes) or not isinstance(given, kind.container):
        raise TypeError(_refusal(name, given, kind))
    if isinstance(given, Mapping | Sequence):
        items = given.items() if isinstance(given, Mapping) else enumerate(given)
        for key, item in items:
            if not kind.has(item):
                one = kind._replace(container=None)
                raise TypeError(_refusal(f"{name}[{key!r}]", item, one))


def _refusal(name: str, given: Any, kind: _Kind) -> str:
    """What was given, what is expected, and where to get one."""
    got = f"{name} is None" if given is None else f"{name} is a {type(given).__name__}"
    if isinstance(given, str | Path | int | float):
        got = f"{name}={given!r:.60} is a {type(given).__name__}"
    classes = [c for c in kind.classes if c is not types.NoneType]
    expected = " or ".join([*map(_in_words, classes), *map(_one, kind.names)])
    if kind.container is Mapping:
        expected = f"names and for each {expected}, as a dictionary"
    elif kind.container is not None:
        expected = f"a list, each of it {expected}"
    named = [*(c.__name__ for c in classes), *kind.names]
    such_as = next((SUCH_AS[n] for n in named if n in SUCH_AS), "")
    way = f", such as `{such_as}`" if such_as else ""
    inside: list[Any] = list(given) if isinstance(given, list | tuple) else []
    several = kind.container is None and any(map(kind.has, inside))
    one = " Give them one by one." if several else ""
    return f"{got}: expected {expected}{way}.{one}"


def _in_words(cls: type) -> str:
    """One of a class; of those that are abstract users make subclasses."""
    if cls.__name__.startswith("Abstract"):
        home = cls.__module__.removeprefix("naion.")
        return f"a subclass of `{home}.{cls.__name__}`"
    words = {str: "a text", os.PathLike: "a path", object: "what they are"}
    return words.get(cls, _one(cls.__name__))


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} `{name}`"
