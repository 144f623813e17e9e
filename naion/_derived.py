"""What follows from an object that does not change, kept as long as the object lives."""

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

import jax

Source = TypeVar("Source")
Value = TypeVar("Value")


class Derived(Generic[Source, Value]):
    """A function of one immutable object, computed once for each object.

    Cells and protocols hold arrays, so that they cannot be keys of a dictionary; but
    which object it is can be one, for as long as it lives.
    """

    def __init__(self, function: Callable[[Source], Value]):
        """Of a function whose value must not hold its argument, which could not die."""
        self._function = function
        self._known: dict[int, tuple[weakref.ref[Source], Value]] = {}

    def __call__(self, source: Source) -> Value:
        """The function's value at an object."""
        place = id(source)
        known = self._known.get(place)
        if known is not None and known[0]() is source:
            return known[1]
        # What is kept must outlive the trace in which it may be asked for first.
        with jax.ensure_compile_time_eval():
            value = self._function(source)
        forget = weakref.ref(source, lambda _: self._known.pop(place, None))
        self._known[place] = forget, value
        return value
