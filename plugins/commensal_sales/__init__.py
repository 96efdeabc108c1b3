"""Sales: accounts of a month, turnover, orders, VAT, fees, payments, counts of the till, suppliers, customers, stock.

Figures are of the last month unless other days or a sale are named. Orders count on the day of their distribution,
payments on the day they came, and VAT on the day on which it falls due.
"""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Report, hookimpl

from .accounts import accounts
from .orders import customers, given_back, journal, orders, payments
from .suppliers import paid_suppliers, stock, suppliers, till
from .turnover import fees, turnover, vat

BEGINS_HUBS = True

__all__ = ["reports"]


@hookimpl
def reports(language: str) -> Sequence[Report]:
    builders = (
        accounts,
        turnover,
        orders,
        vat,
        fees,
        payments,
        journal,
        given_back,
        till,
        suppliers,
        paid_suppliers,
        customers,
        stock,
    )
    return [make(language) for make in builders]
