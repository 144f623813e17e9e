"""What a kilowatt-hour of cells costs, at which price of lithium, and what is in it."""

from ._bill import Bill, Foils, bill
from ._cost import ELEMENTS, Cost, as_quoted, cost, footprint
from ._delivered import (
    COLD_DRAWS,
    delivered_draws,
    delivered_share,
    delivered_shares,
    in_celsius,
)
from ._intervals import interval, per_delivered
from ._least_change import Change
from ._load import available, lithium_quotes, load, schema
from ._materials import Material, material, materials
from ._prices import LITHIUM, VAT, PriceList, Quoted
from ._study import DRAWS, Study, study

__all__ = [
    "COLD_DRAWS",
    "DRAWS",
    "ELEMENTS",
    "LITHIUM",
    "VAT",
    "Bill",
    "Change",
    "Cost",
    "Foils",
    "Material",
    "PriceList",
    "Quoted",
    "Study",
    "as_quoted",
    "available",
    "bill",
    "cost",
    "delivered_draws",
    "delivered_share",
    "delivered_shares",
    "footprint",
    "in_celsius",
    "interval",
    "lithium_quotes",
    "load",
    "material",
    "materials",
    "per_delivered",
    "schema",
    "study",
]
