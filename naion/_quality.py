"""How a number is known."""

from typing import Literal

Quality = Literal["M", "S", "D", "F", "A"]
"""Of a number; `QUALITIES` says what they mean."""

QUALITIES: dict[Quality, str] = {
    "M": "measured",
    "S": "stated",
    "D": "derived",
    "F": "fitted",
    "A": "assumed",
}
"""In words; stated: by a maker."""
