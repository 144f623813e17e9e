"""Public claims about cells: read, answered with probabilities, and reported."""

from ._answer import Answer, Audit, Change
from ._audit import DRAWS, audit
from ._audited import audited_cell, shipped_cell
from ._claims import Claim, Reading, Requirement
from ._load import chosen, load, products, reading, schema
from ._product import Product, Variation
from ._questions import QUESTIONS, Question
from ._report import add_to, write
from ._search import Found, best_design, pareto
from ._words import asks, example, examples, in_words, numbers_of

__all__ = [
    "DRAWS",
    "QUESTIONS",
    "Answer",
    "Audit",
    "Change",
    "Claim",
    "Found",
    "Product",
    "Question",
    "Reading",
    "Requirement",
    "Variation",
    "audit",
    "add_to",
    "asks",
    "audited_cell",
    "best_design",
    "chosen",
    "example",
    "examples",
    "in_words",
    "load",
    "numbers_of",
    "pareto",
    "products",
    "reading",
    "schema",
    "shipped_cell",
    "write",
]
