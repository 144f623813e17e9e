"""Public claims about cells: read, answered with probabilities, and reported."""

from ._audit import DRAWS, Answer, Audit, Change, audit
from ._claims import (
    Claim,
    Reading,
    Requirement,
    audited_cell,
    chosen,
    load,
    products,
    shipped_cell,
)
from ._product import Product, Variation
from ._questions import QUESTIONS, Question
from ._report import add_to, write

__all__ = [
    "DRAWS",
    "QUESTIONS",
    "Answer",
    "Audit",
    "Change",
    "Claim",
    "Product",
    "Question",
    "Reading",
    "Requirement",
    "Variation",
    "audit",
    "add_to",
    "audited_cell",
    "chosen",
    "load",
    "products",
    "shipped_cell",
    "write",
]
