"""The keys of a TOML file, read off its JSON Schema, for help and for the documentation."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]


class Key(NamedTuple):
    """A key of a table.

    Attributes:
        name: as it stands in the file.
        form: what is expected.
        default: what it is if it is not given; "required" if it has to be.
        meaning: in words, with a unit.
    """

    name: str
    form: str
    default: str
    meaning: str


class KeyTable(NamedTuple):
    """A table of a file.

    Attributes:
        name: in brackets as in the file, with the word that chooses it; empty at the top.
        about: one line.
        keys: in order.
    """

    name: str
    about: str
    keys: tuple[Key, ...]


def key_tables(schema: str) -> list[KeyTable]:
    """All tables of a file.

    Args:
        schema: JSON Schema, as `--schema` prints it.
    """
    whole = json.loads(schema)
    return list(_tables("", whole, whole.get("$defs", {})))


def as_text(tables: list[KeyTable]) -> str:
    """For a terminal: one block for each table."""
    blocks = []
    for table in tables:
        rows = [f"{table.name or 'at the top of the file'}: {table.about}".rstrip(": ")]
        for key in table.keys:
            said = "; ".join(filter(None, [key.form, key.default, key.meaning]))
            rows.append(f"  {key.name:<12s} {said}")
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def _tables(name: str, schema: Schema, known: Schema) -> Iterator[KeyTable]:
    inside: list[tuple[str, Schema]] = []
    keys = []
    for key, field in schema.get("properties", {}).items():
        tables = list(_of_tables(field, known))
        where = f"[[{key}]]" if field.get("type") == "array" else f"[{key}]"
        for table in tables:
            word = table["properties"].get("kind", {}).get("const")
            inside.append((f'{where} kind = "{word}"' if word else where, table))
        if not tables:
            given = key in schema.get("required", ())
            keys.append(_key(key, field, given, known))
    yield KeyTable(name, _line(schema.get("description", "")), tuple(keys))
    for where, table in inside:
        yield from _tables(where, table, known)


def _of_tables(field: Schema, known: Schema) -> Iterator[Schema]:
    """The tables that a field holds, if it holds tables."""
    field = _resolved(field, known)
    if "properties" in field:
        yield field
    for choice in (*field.get("oneOf", ()), *field.get("anyOf", ())):
        yield from _of_tables(choice, known)
    if field.get("type") == "array" and isinstance(field.get("items"), dict):
        yield from _of_tables(field["items"], known)


def _key(name: str, field: Schema, required: bool, known: Schema) -> Key:
    default = field.get("default")
    said = "required" if required else ""
    if default is not None:
        said = f"default {json.dumps(default)}"
    said_of = (f.get("description", "") for f in (field, *field.get("anyOf", ())))
    meaning = next(filter(None, said_of), "")
    return Key(name, _form(field, known), said, _line(meaning))


def _form(field: Schema, known: Schema) -> str:
    field = _resolved(field, known)
    if "const" in field:
        return json.dumps(field["const"])
    if "enum" in field:
        return " or ".join(map(json.dumps, field["enum"]))
    if "anyOf" in field:
        forms = [_form(f, known) for f in field["anyOf"] if f.get("type") != "null"]
        return " or ".join(dict.fromkeys(forms))
    kind = field.get("type", "")
    if kind == "array":
        if "prefixItems" in field:
            return f"{len(field['prefixItems'])} numbers"
        return f"list of {_form(field['items'], known)}s"
    words = {"integer": "whole number", "string": "text", "boolean": "true or false"}
    return f"{words.get(kind, kind)}{_limits(field)}"


def _limits(field: Schema) -> str:
    signs = {
        "exclusiveMinimum": ">",
        "minimum": ">=",
        "exclusiveMaximum": "<",
        "maximum": "<=",
    }
    found = [f"{sign} {field[k]:g}" for k, sign in signs.items() if k in field]
    return f" {', '.join(found)}" if found else ""


def _resolved(field: Schema, known: Schema) -> Schema:
    while "$ref" in field:
        field = known[field["$ref"].rsplit("/", 1)[-1]]
    return field


def _line(text: str) -> str:
    return " ".join(text.split())
