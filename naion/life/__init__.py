"""How long cells last: measured rows, a law, cells aged by their own states."""

from ._law import Fitted, Law, fit_law, naive, predicted, share_of_ends
from ._lithium import lfp_calendar, lfp_cycling
from ._outlook import Outlook, Use, outlook
from ._rows import Row, rows

__all__ = [
    "Fitted",
    "Law",
    "Outlook",
    "Row",
    "Use",
    "fit_law",
    "lfp_calendar",
    "lfp_cycling",
    "naive",
    "outlook",
    "predicted",
    "rows",
    "share_of_ends",
]
