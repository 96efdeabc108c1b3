"""When VAT falls due: the tax point of what was ordered.

Goods are supplied at their distribution (directive 2006/112/EC, art. 63). What is paid before, for goods that are
known, is taxed when the money comes (art. 65; in France since 2023 for goods too, CGI art. 269-2-a). So each payment
that comes before the distribution begins makes its part of the order's VAT due, and the rest falls due there. What a
fund or a gift card pays is no earlier payment: it counts at the distribution.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, cast, func, select, union_all

from ...storage.database import Whole
from ..orders.tables import adjustment, customer_order, order_vat
from ..sale_sessions.tables import sale_session
from .tables import payment_journal

_order, _vat, _session = customer_order.c, order_vat.c, sale_session.c
_earlier = payment_journal.alias("earlier")
_PAID_OTHERWISE = ("VOUCHER", "SUBSIDY")  # phases; what has no rate there pays, and changes no VAT (art. 73)


def tax_point() -> Subquery:
    """The VAT of orders, divided by when it falls due. Each row has

    order_id, rate:  of which order, at which rate in percent
    net, vat:        the part that falls due, in minor units of the order's currency; negative where money was given
                     back before the distribution
    due_at:          the moment of the payment, or of the beginning of the distribution, in UTC

    The parts of an order at a rate add up to what the order has at it, to the cent: what is paid so far is rounded, and
    a part is the difference to what was paid before. An order that changes after it was paid is divided anew, because
    the journal knows amounts and no rates.
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
    """By order and moment, what part of its price falls due: from the amount `since` to the amount `until`.

    Whatever an order costs nothing for falls due at its distribution.
    """
    entry, earlier = payment_journal.c, _earlier.c
    orders = customer_order.join(sale_session, _session.id == _order.session_id)
    payments = orders.join(payment_journal, entry.order_id == _order.id)
    until, before = _paid(earlier.sequence <= entry.sequence), _paid(earlier.sequence < entry.sequence)
    at_payment = _share(entry.at, before, until).select_from(payments)
    prepaid, price = _paid(earlier.at < _session.begins_at), _price()
    at_distribution = _share(_session.begins_at, prepaid, price).select_from(orders)
    return union_all(
        at_payment.where(entry.at < _session.begins_at, until != before),
        at_distribution.where((prepaid < price) | (price <= 0)),
    ).subquery("share")


def _share(due_at: ColumnElement[datetime], since: ColumnElement[int], until: ColumnElement[int]) -> Select[Any]:
    return select(
        _order.id.label("order_id"),
        due_at.label("due_at"),
        since.label("since"),
        until.label("until"),
        _price().label("price"),
    )


def _paid(which: ColumnElement[bool]) -> ColumnElement[int]:
    """What the customer has paid of the order by these entries of its journal: nothing at least, its total at most."""
    mine = and_(_earlier.c.order_id == _order.id, which)
    amount = select(cast(func.coalesce(func.sum(_earlier.c.amount), 0), Whole)).where(mine)
    paid = amount.correlate(customer_order, sale_session, payment_journal).scalar_subquery()
    return case((paid < 0, 0), (paid > _order.total, _order.total), else_=paid)


def _price() -> ColumnElement[int]:
    """What the order costs, whoever pays: the customer's total and what is paid otherwise."""
    row = adjustment.c
    otherwise = and_(row.order_id == _order.id, row.vat_rate.is_(None), row.phase.in_(_PAID_OTHERWISE))
    spared = select(cast(func.coalesce(func.sum(row.amount), 0), Whole)).where(otherwise)
    return _order.total - spared.correlate(customer_order).scalar_subquery()
