"""What is wrong with the file of a parameter set, in words."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ._schema import BY_TAG, CURVE_TABLES, LAW_TABLES, Entry, SetFile

FORM = (
    '{ value = 4e-6, unit = "m", quality = "A", source = "...", range = [2e-6, 8e-6] }'
)
"""How a number is given."""

MOST = 3
"""Errors that are told at once."""

PAIRS = {
    "range": "two finite numbers, lowest and highest",
    "bounds": "two finite numbers, lowest and highest",
    "valid": "two temperatures [K], lowest and highest",
    "follows": 'a path and a power, such as ["negative.particle.radius", 2.0]',
}
"""What belongs to keys that have two entries."""

EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "list_type": "a list of numbers",
    "dict_type": "a table",
}
"""By kind of error."""


def in_words(error: ValidationError) -> str:
    """The first few errors, each with its place, what was given and what is expected."""
    errors = error.errors(include_url=False)
    # A key with a slip of the pen is both unknown and missing.
    errors.sort(key=lambda e: e["type"] != "extra_forbidden")
    found = [_sentence(e) for e in errors]
    more = f" And {len(found) - MOST} more." if len(found) > MOST else ""
    return " ".join(found[:MOST]) + more


def _sentence(error: Mapping[str, Any]) -> str:
    kind, loc, given = error["type"], error["loc"], error["input"]
    keys = [k for k in loc if isinstance(k, str) and k not in BY_TAG and k != "<plain>"]
    place, last = ".".join(keys), keys[-1] if keys else ""
    where = f"[{'.'.join(keys[:-1])}]" if keys[:-1] else "The file"
    if last in PAIRS and kind != "extra_forbidden":
        return f"{place} = {_shown(given)}: expected {PAIRS[last]}."
    if kind == "extra_forbidden":
        model = _model_at(loc[:-1])
        known = list(model.model_fields) if model else []
        return f"{where}: unknown key {last}; {_known(last, known)}"
    if kind == "missing":
        return f"{where} has no {last}: give {_expected(loc)}."
    if kind == "union_tag_not_found" and last not in ("curve", "temperature"):
        return (
            f"{place} = {_shown(given)}: expected a table with one of value, table and "
            f"curve, such as {FORM}."
        )
    if kind.startswith("union_tag"):
        word = given.get("type")
        known = CURVE_TABLES if last == "curve" else LAW_TABLES
        return f"{place}: type = {_shown(word)}; {_known(str(word), known)}"
    if kind == "literal_error":
        known = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return f"{place} = {_shown(given)}; {_known(str(given), known.split(', '))}"
    if kind.startswith("model"):
        return f"{place} = {_shown(given)}: expected {_expected(loc)}."
    if kind in ("greater_than", "less_than"):
        what = "a probability between 0 and 1" if last == "level" else "more than zero"
        return f"{place} = {_shown(given)}: expected {what}."
    return f"{place} = {_shown(given)}: expected {EXPECTED.get(kind, error['msg'])}."


def _known(given: str, known: Iterable[str]) -> str:
    """What is known, and what of it was meant."""
    near = difflib.get_close_matches(given, list(known), n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"known are {', '.join(known)}.{meant}"


def _expected(loc: tuple[Any, ...]) -> str:
    """What belongs at a place, and what the schema says of it."""
    above, kind = _model_at(loc[:-1]), _model_at(loc)
    field = above.model_fields.get(loc[-1]) if above else None
    if kind is not None and not issubclass(kind, Entry):
        return f"a table [{'.'.join(k for k in loc if isinstance(k, str))}]"
    about = f" ({field.description.rstrip('.')})" if field and field.description else ""
    annotation = field.annotation if field else None
    if annotation is str:
        return f'{loc[-1]} = "..."{about}'
    if kind is not None or "Property" in str(annotation):
        return f"{FORM}{about}"
    return f"{loc[-1]} = a number{about}"


def _model_at(loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The table at a place."""
    node: Any = SetFile
    for part in loc:
        if part in BY_TAG:
            node = BY_TAG[part]
        else:
            field = getattr(node, "model_fields", {}).get(part)
            node = None if field is None else field.annotation
    return node if isinstance(node, type) and issubclass(node, BaseModel) else None


def _shown(given: Any) -> str:
    said = repr(given)
    return said if len(said) <= 60 else said[:57] + "..."
