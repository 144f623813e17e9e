"""Does naion refuse what cannot be, in words that help?

A corpus of bad inputs and faults (`corpus`), seeded mutations of good files (`mutations`),
and a judge (`judge`) that reads only what a user sees: the exit status, the exception, and
whether the message names the place, what was given and what was expected.
"""

from .everything import main

__all__ = ["main"]
