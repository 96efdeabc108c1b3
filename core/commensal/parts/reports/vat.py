"""VAT in reports: splits sums into net and VAT, and an order's VAT among its lines, by the same rule as orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, select

from ...orders.tables import adjustment, customer_order, order_line, order_vat
from ...pricing.lines import split
from ...pricing.values import VatShare
from ...storage.database import Whole


def net_and_vat(amount: int, rate: Decimal, included: bool) -> VatShare:
    """Net and VAT of a sum of amounts (minor units) at one rate in percent, rounded once. `included`: the sum contains
    the VAT; otherwise the VAT is added to it.

    Add up first, then split: splitting line by line rounds each line. For what customers pay, take the fields `net`,
    `vat` and `gross` of lines and adjustments instead: they add up to the VAT of each order, as on its receipt, from
    which the VAT of a sum over many orders may differ by cents.
    """
    return split(amount, rate, included)


# The VAT of an order, divided among its lines and adjustments, in SQL.
#
# VAT is rounded once for each rate of an order, as its customer's receipt says (`vat_shares`). What tells it by
# product or by supplier divides that amount: a row gets what the VAT of the sum with it exceeds the VAT of the sum
# before it. So the parts add up to the receipt, to the cent, however they are grouped.

_line, _adjustment, _order, _vat = order_line.c, adjustment.c, customer_order.c, order_vat.c
_other_line, _other_adjustment = order_line.alias("other_line"), adjustment.alias("other_adjustment")


def vat_of_line() -> ColumnElement[int]:
    """Returns the VAT in a line's amount, in minor units, where `order_line` and its `customer_order` are selected."""
    before = _sum_of(_other_line.c, _line, _other_line.c.id < _line.id)
    return _part(_line, before)


def vat_of_adjustment() -> ColumnElement[int]:
    """Returns the same for an adjustment; 0 if it is outside VAT. Adjustments come after all lines."""
    lines = _sum_of(_other_line.c, _adjustment)
    earlier = _sum_of(_other_adjustment.c, _adjustment, _other_adjustment.c.id < _adjustment.id)
    return _part(_adjustment, lines + earlier)


def _sum_of(rows: Any, row: Any, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """The sum of those of `rows` that are of the order and the rate of `row`."""
    same = (rows.order_id == row.order_id, rows.vat_rate == row.vat_rate)
    statement = select(cast(func.coalesce(func.sum(rows.amount), 0), Whole)).where(*same, *conditions)
    return statement.correlate(order_line, adjustment, customer_order).scalar_subquery()


def _part(row: Any, before: ColumnElement[int]) -> ColumnElement[int]:
    whole = _vat.net + case((_order.prices_include_vat, _vat.vat), else_=0)  # no row of `order_vat` has a sum of 0
    part = _vat.vat * (before + row.amount) // whole - _vat.vat * before // whole
    of_row = (_vat.order_id == row.order_id, _vat.rate == row.vat_rate)
    statement = select(cast(part, Whole)).where(*of_row).correlate(order_line, adjustment, customer_order)
    return func.coalesce(statement.scalar_subquery(), 0)
