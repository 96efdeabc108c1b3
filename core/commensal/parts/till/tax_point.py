"""When the VAT of an order falls due: its tax point.

Goods are supplied at their distribution (directive 2006/112/EC, art. 63). A payment on account, for goods that are
known, is taxed when it is received (art. 65; in France since 2023 for goods too, CGI art. 269-2-a). So each payment
before the distribution begins makes its part of the order's VAT due, and the rest falls due at the distribution. Money
from a fund or a gift card is not a payment on account: it counts at the distribution.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, case, cast, func, select, union_all

from ...orders.tables import adjustment, customer_order, order_vat
from ...payments.tables import payment_journal
from ...sale_sessions.tables import sale_session
from ...storage.database import RowQuery, Whole

_order, _vat, _session = customer_order.c, order_vat.c, sale_session.c
_earlier = payment_journal.alias("earlier")
_PAID_OTHERWISE = ("VOUCHER", "SUBSIDY")  # phases: adjustments without a rate pay, and change no VAT (art. 73)


def tax_point() -> Subquery:
    """Returns the VAT of orders, divided by the moment at which it falls due. Each row has

    order_id, rate:  the order, and the rate in percent
    net, vat:        the part that falls due, in minor units of the order's currency; negative if money was given back
                     before the distribution
    due_at:          the moment of the payment, or of the beginning of the distribution, in UTC

    The parts of an order at a rate add up to the order's VAT at this rate, to the cent: the VAT of the sum paid so far
    is rounded, and each part is the difference to the one before. An order that changes after it was paid is divided
    anew, because the journal has amounts and no rates.
    """
    share = _shares()
    until, since, price = share.c.until, share.c.since, share.c.price

    def part(amount: ColumnElement[int]) -> ColumnElement[int]:
        return cast(case((price > 0, amount * until // price - amount * since // price), else_=amount), Whole)

    parts = select(
        _vat.order_id, _vat.rate, part(_vat.net).label("net"), part(_vat.vat).label("vat"), share.c.due_at
    ).join(share, share.c.order_id == _vat.order_id)
    return parts.subquery("tax_point")


def _shares() -> Subquery:
    """Returns the part of the price that falls due by order and moment: from the amount `since` to the amount `until`.

    The VAT of an order with a price of zero falls due at its distribution.
    """
    entry, earlier_entry = payment_journal.c, _earlier.c
    orders = customer_order.join(sale_session, _session.id == _order.session_id)
    payments = orders.join(payment_journal, entry.order_id == _order.id)
    paid_after, paid_before = (
        _paid(earlier_entry.sequence <= entry.sequence),
        _paid(earlier_entry.sequence < entry.sequence),
    )
    at_payment = _share(entry.at, paid_before, paid_after).select_from(payments)
    prepaid, price = _paid(earlier_entry.at < _session.begins_at), _price()
    at_distribution = _share(_session.begins_at, prepaid, price).select_from(orders)
    return union_all(
        at_payment.where(entry.at < _session.begins_at, paid_after != paid_before),
        at_distribution.where((prepaid < price) | (price <= 0)),
    ).subquery("share")


def _share(due_at: ColumnElement[datetime], since: ColumnElement[int], until: ColumnElement[int]) -> RowQuery:
    return select(
        _order.id.label("order_id"),
        due_at.label("due_at"),
        since.label("since"),
        until.label("until"),
        _price().label("price"),
    )


def _paid(conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """Returns what the customer has paid of the order by the journal entries that match: between 0 and its total."""
    condition = and_(_earlier.c.order_id == _order.id, conditions)
    amount = select(cast(func.coalesce(func.sum(_earlier.c.amount), 0), Whole)).where(condition)
    paid = amount.correlate(customer_order, sale_session, payment_journal).scalar_subquery()
    return case((paid < 0, 0), (paid > _order.total, _order.total), else_=paid)


def _price() -> ColumnElement[int]:
    """Returns the full price of the order, whoever pays it: the customer's total and what funds or cards pay."""
    adj = adjustment.c
    paid_otherwise = and_(adj.order_id == _order.id, adj.vat_rate.is_(None), adj.phase.in_(_PAID_OTHERWISE))
    other_amounts = select(cast(func.coalesce(func.sum(adj.amount), 0), Whole)).where(paid_otherwise)
    return _order.total - other_amounts.correlate(customer_order).scalar_subquery()
