"""What a shop owes its suppliers for what was delivered: goods at purchase prices, fees that go to them, deposits.

That is what customers got, and what the shop kept for its own stock because more came.

What was not delivered is not on customers' orders any more, by shortening or weighing. What the shop lost itself, on
orders that it cancelled without restocking, it owes all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from ...enterprises.tables import enterprise
from ...orders.lock import CORRECTION
from ...orders.tables import adjustment, container_return, customer_order, order_line
from ...pricing.lines import split
from ...pricing.values import CUSTOMER
from ...storage.database import Row, RowQuery, Transaction, Whole
from .purchase_prices import purchase_amount
from .tables import stock_purchase

_order, _line, _returned, _bought = customer_order.c, order_line.c, container_return.c, stock_purchase.c


@dataclass(frozen=True, kw_only=True)
class OwedShare:
    """What is owed at one VAT rate (percent; None: outside VAT), in minor units; `gross` includes `vat`."""

    rate: Decimal | None
    net: int
    vat: int
    gross: int


@dataclass(frozen=True, kw_only=True)
class OwedToSupplier:
    """What a shop owes a supplier for one sale, in minor units of `currency`.

    shares:      goods at purchase prices, with the fees that go to the supplier, by VAT rate
    fees:        those fees, which `shares` contain
    corrections: what the supplier bears of goods that were handed over, negative, which `shares` contain
    deposits:    for containers that left with customers, less those that came back, outside VAT
    total:       the shares' gross amounts, and deposits
    """

    supplier_id: str
    supplier: str
    currency: str
    shares: tuple[OwedShare, ...]
    fees: int
    corrections: int
    deposits: int
    total: int


def owed_at_session(tx: Transaction, enterprise_id: str, session_id: str) -> list[OwedToSupplier]:
    """Returns what the shop owes each other enterprise that supplied its session, by the supplier's name.

    VAT is rounded once for each rate, half up. One statement.
    """
    rows = tx.all(_AT_SESSION, {"enterprise": enterprise_id, "session": session_id})
    return [_owed(list(group)) for _, group in groupby(rows, itemgetter("supplier_id"))]


def owed_at_sessions(
    tx: Transaction, session_ids: Collection[str], *, supplier_id: str = "", enterprise_id: str = ""
) -> dict[tuple[str, str], OwedToSupplier]:
    """Returns what is owed for each of these sessions, by the same rule, by session and supplier: to one supplier, or
    by one shop. One statement."""
    sessions = sorted(session_ids)
    listed = select(_listed.c.id).where(_listed.c.session_id.in_(sessions))
    statement = _statement(listed, lambda row: _is_among(row, sessions, supplier_id, enterprise_id))
    groups = groupby(tx.all(statement), itemgetter("session_id", "supplier_id"))
    return {key: _owed(list(group)) for key, group in groups}


def _is_among(row: _Sold, sessions: list[str], supplier_id: str, enterprise_id: str) -> Iterator[ColumnElement[bool]]:
    yield row.session_id.in_(sessions)
    if supplier_id:
        yield row.supplier_id == supplier_id
    if enterprise_id:
        yield row.enterprise_id == enterprise_id


def owed_rows(orders: Select[tuple[str]] | None = None) -> Subquery:
    """Returns rows of goods, of fees that customers pay to a supplier of the same order, and of corrections that this
    supplier bears, by `order_id`.

    Amounts are in minor units: `goods` at selling prices, `purchase` at purchase prices. `orders` selects the ids of
    the orders whose rows are wanted: joined to the result afterwards, SQLite would read the lines of all orders first.
    """
    zero, fee = literal(0, Whole), adjustment.c

    def wanted(order_id: ColumnElement[str]) -> ColumnElement[bool]:
        return true() if orders is None else order_id.in_(orders)

    goods = (
        select(
            _line.order_id,
            _line.supplier_id,
            _line.vat_rate,
            _line.quantity.label("pieces"),
            _line.amount.label("goods"),
            purchase_amount().label("purchase"),
            (_line.deposit * _line.quantity).label("deposits"),
            zero.label("fees"),
            zero.label("corrections"),
        )
        .select_from(order_line)
        .where(_line.quantity > 0, wanted(_line.order_id))
    )
    is_correction, is_price = fee.kind == CORRECTION, fee.vat_rate.is_not(None)
    fees = (
        select(
            fee.order_id,
            fee.payee,
            fee.vat_rate,
            zero,
            zero,
            zero,
            case((and_(is_correction, ~is_price), fee.amount), else_=zero),
            case((is_correction, zero), else_=fee.amount),
            case((and_(is_correction, is_price), fee.amount), else_=zero),
        )
        .join(customer_order, _order.id == fee.order_id)
        .where(*goes_to_supplier(), wanted(fee.order_id))
    )
    came_back = select(
        _returned.order_id,
        _returned.supplier_id,
        null(),
        zero,
        zero,
        zero,
        -_returned.deposit * _returned.pieces,
        zero,
        zero,
    ).where(wanted(_returned.order_id))
    return union_all(goods, fees, came_back).subquery("owed")


def goes_to_supplier() -> tuple[ColumnElement[bool], ...]:
    """Returns the conditions that an adjustment, joined with its order, is one of the customer and a supplier of this
    order, other than the shop."""
    fee, supplied_line = adjustment.c, order_line.alias()
    supplies = exists().where(supplied_line.c.order_id == fee.order_id, supplied_line.c.supplier_id == fee.payee)
    return fee.payer == CUSTOMER, fee.payee != _order.enterprise_id, supplies


def is_owed() -> ColumnElement[bool]:
    """Returns the condition that suppliers are paid for an order: it is going, or the shop has lost its goods."""
    lost = and_(_order.state == "Cancelled", ~_order.restocked)
    return or_(_order.state.in_(("Held", "Complete")), lost)


def _owed(rows: list[Row]) -> OwedToSupplier:
    """Adds up the rows of one supplier; each is of one VAT rate."""
    shares = []
    for row in rows:
        amount = int(row["purchase"]) + int(row["fees"]) + int(row["corrections"])
        if row["vat_rate"] is None and not amount:
            continue  # containers alone
        if row["vat_rate"] is None:
            shares.append(OwedShare(rate=None, net=amount, vat=0, gross=amount))
        else:
            share = split(amount, row["vat_rate"], bool(row["prices_include_vat"]))
            shares.append(OwedShare(rate=share.rate, net=share.net, vat=share.vat, gross=share.net + share.vat))
    deposits = sum(int(row["deposits"]) for row in rows)
    return OwedToSupplier(
        supplier_id=rows[0]["supplier_id"],
        supplier=rows[0]["supplier"],
        currency=rows[0]["currency"],
        shares=tuple(shares),
        fees=sum(int(row["fees"]) for row in rows),
        corrections=sum(int(row["corrections"]) for row in rows),
        deposits=deposits,
        total=sum(share.gross for share in shares) + deposits,
    )


@dataclass(frozen=True)
class _Sold:
    """The columns by which what is owed is chosen, of what customers got and of what the shop bought for its stock."""

    session_id: ColumnElement[str]
    supplier_id: ColumnElement[str]
    enterprise_id: ColumnElement[str]


def _statement(orders: Select[tuple[str]], conditions: Callable[[_Sold], Iterable[ColumnElement[bool]]]) -> RowQuery:
    """What is owed for these orders, and for what the shop kept beyond them, by session, supplier and VAT rate; but not
    what a shop owes itself. The conditions are those of both."""
    rows, zero = owed_rows(orders), literal(0, Whole)
    of_orders = (
        select(
            _order.session_id,
            rows.c.supplier_id,
            rows.c.vat_rate,
            _order.prices_include_vat,
            _order.currency,
            rows.c.purchase,
            rows.c.fees,
            rows.c.corrections,
            rows.c.deposits,
        )
        .join_from(customer_order, rows, rows.c.order_id == _order.id)
        .where(is_owed(), rows.c.supplier_id != _order.enterprise_id)
        .where(*conditions(_Sold(_order.session_id, rows.c.supplier_id, _order.enterprise_id)))
    )
    of_stock = select(
        _bought.session_id,
        _bought.supplier_id,
        _bought.vat_rate,
        _bought.prices_include_vat,
        _bought.currency,
        (_bought.price * _bought.pieces).label("purchase"),
        zero,
        zero,
        _bought.deposit * _bought.pieces,
    ).where(*conditions(_Sold(_bought.session_id, _bought.supplier_id, _bought.enterprise_id)))
    each = union_all(of_orders, of_stock).subquery("each")
    key = (
        each.c.session_id,
        each.c.supplier_id,
        enterprise.c.name,
        each.c.vat_rate,
        each.c.prices_include_vat,
        each.c.currency,
    )
    return (
        select(
            each.c.session_id,
            each.c.supplier_id,
            enterprise.c.name.label("supplier"),
            each.c.vat_rate,
            each.c.prices_include_vat,
            each.c.currency,
            func.sum(each.c.purchase).label("purchase"),
            func.sum(each.c.fees).label("fees"),
            func.sum(each.c.corrections).label("corrections"),
            func.sum(each.c.deposits).label("deposits"),
        )
        .join(enterprise, enterprise.c.id == each.c.supplier_id)
        .group_by(*key)
        .order_by(each.c.session_id, enterprise.c.name, each.c.supplier_id, each.c.vat_rate)
    )


_listed = customer_order.alias("listed")
_AT_SESSION = _statement(
    select(_listed.c.id).where(_listed.c.session_id == bindparam("session")),
    lambda row: (row.session_id == bindparam("session"), row.enterprise_id == bindparam("enterprise")),
)
