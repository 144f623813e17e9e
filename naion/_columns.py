"""Tables as plain text."""

from collections.abc import Sequence


def in_columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Rows of text under each other, in columns as wide as their longest entry."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        indent + "  ".join(f"{text:{n}s}" for text, n in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
