"""Sales: turnover with charts, VAT, fees, payments, suppliers to pay, customers, stock.

Figures are of the last month unless other days or a sale are named. Orders count on the day of their distribution,
payments on the day they came, and VAT on the day on which it falls due.
"""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Report, hookimpl

from .customers import customers
from .fees import fees, vat
from .payments import journal, payments
from .stock import stock
from .suppliers import suppliers
from .turnover import turnover

__all__ = ["reports"]


@hookimpl
def reports(language: str) -> Sequence[Report]:
    builders = (turnover, vat, fees, payments, journal, suppliers, customers, stock)
    return [make(language) for make in builders]
