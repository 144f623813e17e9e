"""How long cells last: measured rows, a law, cells aged by their own states."""

from ._ageing import SLOW, aged, with_ageing
from ._calibrate import Calibrated, aged_as, calibrate
from ._cycle import Ageing, cycle
from ._duty import ends_of, of_solution
from ._law import ENDS, Fitted, Law, fit_law, naive, predicted, share_of_ends
from ._lithium import lfp_calendar, lfp_cycling
from ._outlook import Outlook, Use, outlook
from ._rows import Row, rows

__all__ = [
    "ENDS",
    "SLOW",
    "Ageing",
    "Calibrated",
    "Fitted",
    "Law",
    "Outlook",
    "Row",
    "Use",
    "aged",
    "aged_as",
    "calibrate",
    "cycle",
    "ends_of",
    "fit_law",
    "lfp_calendar",
    "lfp_cycling",
    "naive",
    "of_solution",
    "outlook",
    "predicted",
    "rows",
    "share_of_ends",
    "with_ageing",
]
