"""Roles of a cell's numbers, and access to numbers by dotted paths."""

import dataclasses
import difflib
import enum
from typing import Any

from ..properties import Property
from ._range import Over, Range, Rule


class Role(enum.StrEnum):
    """What a number is for, such as kinetics or transport."""

    OPEN_CIRCUIT_POTENTIAL = "open-circuit potential"
    HYSTERESIS = "hysteresis"
    KINETICS = "kinetics"
    RESISTANCE = "resistance"
    TRANSPORT = "transport"
    BALANCE = "balance"
    TEMPERATURE_LAW = "temperature law"
    DESIGN = "design"
    HEAT = "heat"
    CALIBRATION = "calibration"


def about(
    role: Role | None = None,
    range: Range | Over | None = None,
    *,
    of_design: bool = False,
    title: str | None = None,
    rule: Rule | None = None,
) -> dict[str, Any]:
    """Metadata of a field: role, range and title of its numbers.

    Args:
        role: role of the numbers in the field, unless an inner field declares another;
            none: that of the outer field.
        range: range of the numbers, with their unit; none: any finite number.
        of_design: whether `naion.design` replaces the numbers when it builds a cell.
        title: readable name; none: the name of the field.
        rule: a relation between these and other numbers of the same part.
    """
    said = {"role": role, "range": range, "title": title, "rule": rule}
    return {"of_design": of_design} | {k: v for k, v in said.items() if v is not None}


def leaf(tree: Any, path: str) -> Any:
    """The leaf at a dotted path, such as "cell.positive.others.0.particle.radius".

    Raises:
        KeyError: naming the part that does not exist and its nearest neighbours.
    """
    return _walked(tree, path)[0]


def role_of(tree: Any, path: str) -> Role:
    """Role of the number at a dotted path; errors as of `leaf`."""
    roles = [a["role"] for a in _walked(tree, path)[1] if "role" in a]
    return roles[-1]


def is_of_design(tree: Any, path: str) -> bool:
    """Whether a design replaces the number at a dotted path; errors as of `leaf`."""
    return any(a.get("of_design", False) for a in _walked(tree, path)[1])


def _walked(tree: Any, path: str) -> tuple[Any, list[Any]]:
    """The node at a path, and the metadata of the fields on the way."""
    node: Any = tree
    met: list[Any] = []
    for i, part in enumerate(parts := path.split(".")):
        own = {f.name: f for f in dataclasses.fields(node)} if _has_fields(node) else {}
        inside = isinstance(node, tuple)
        known = [str(k) for k in range(len(node))] if inside else list(own)
        if part not in known:
            near = difflib.get_close_matches(part, known, cutoff=0.3) or known
            raise KeyError(
                f"{path!r}: {'.'.join(parts[:i]) or 'the cell'} has no {part!r}. "
                f"Nearest: {', '.join(near) or 'none'}."
            )
        if part in own:
            met.append(own[part].metadata)
        of_property = isinstance(node, Property)
        node = node[int(part)] if isinstance(node, tuple) else getattr(node, part)
        if of_property and part == "temperature":
            met.append(about(Role.TEMPERATURE_LAW))
    return node, met


def _has_fields(node: Any) -> bool:
    return dataclasses.is_dataclass(node) and not isinstance(node, type)
