"""Orders of one sale as a list: what each is, whether it is packed, paid and handed over, without its lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select

from ...orders.guests import is_unconfirmed
from ...orders.questions import order_ids_of_customer
from ...orders.tables import customer_order, guest_order, order_line
from ...orders.values import Identity
from ...sale_sessions.tables import coordination, sale_session
from ...storage.database import Transaction

_order, _line = customer_order.c, order_line.c
_MOST = 200  # orders that a question over all sales returns


@dataclass(frozen=True, kw_only=True)
class OrderSummary:
    """A placed order on a list. Amounts are minor units of `currency`; moments are UTC.

    crates:   into which it was packed; None: nobody has counted them
    pieces:   of all lines together
    lines:    its number of lines
    unweighed: its number of lines that are sold by weight and were not weighed yet
    confirm_by: when it is cancelled, unless its guest follows the link in the e-mail or pays; None: it stands
    """

    id: str
    session_id: str
    number: int
    name: str
    email: str
    phone: str
    note: str
    collector: str
    language: str
    state: str
    payment_state: str
    fulfilment_state: str
    payment_method: str
    shipping: str
    shipping_label: str
    shipping_address: str
    currency: str
    total: int
    paid_total: int
    placed_at: datetime
    fulfilled_at: datetime | None
    crates: int | None
    version: int
    confirm_by: datetime | None
    pieces: int
    lines: int
    unweighed: int

    @property
    def due(self) -> int:
        """What is still to be paid; negative: owed to the customer."""
        return (0 if self.state == "Cancelled" else self.total) - self.paid_total

    @property
    def stands(self) -> bool:
        """Whether it is packed and counted: it is not cancelled, and its guest has confirmed it."""
        return self.state != "Cancelled" and self.confirm_by is None

    @property
    def is_going(self) -> bool:
        """Whether its goods are still to be handed over."""
        return self.state != "Cancelled" and self.fulfilment_state != "Fulfilled"


class _Counts(NamedTuple):
    """Of the lines of an order: the fields of its summary that are not columns."""

    pieces: int = 0
    lines: int = 0
    unweighed: int = 0


_COLUMNS = [_order[field.name] for field in fields(OrderSummary) if field.name not in (*_Counts._fields, "confirm_by")]
_CONFIRM_BY = case((is_unconfirmed(), guest_order.c.confirm_by)).label("confirm_by")
_is_unweighed = and_(_line.weighed, _line.final_quantity.is_(None))


def summaries_of_session(tx: Transaction, enterprise_id: str, session_id: str) -> list[OrderSummary]:
    """Returns the placed orders of a shop's session by number, cancelled ones too, in two statements."""
    return _summaries(tx, _order.enterprise_id == enterprise_id, _order.session_id == session_id)


def unpaid_orders(tx: Transaction, enterprise_id: str, *, late: bool = False) -> list[OrderSummary]:
    """Returns the orders of all sales of a shop that are not paid yet, newest first, in two statements; at most 200.

    With `late` only those that were handed over, or whose distribution is over.
    """
    conditions = _is_unpaid(enterprise_id)
    return _summaries(tx, *conditions, *([_is_late(tx.now)] if late else []), newest=True)


def orders_to_give_back(tx: Transaction, enterprise_id: str) -> list[OrderSummary]:
    """Returns the orders of all sales of a shop whose customers get money back, newest first; at most 200.

    They were cancelled after they were paid, or cost less than was paid. Two statements.
    """
    cancelled = and_(_order.state == "Cancelled", _order.paid_total > 0)
    overpaid = and_(_order.state.in_(("Held", "Complete")), _order.paid_total > _order.total)
    return _summaries(tx, _order.enterprise_id == enterprise_id, or_(cancelled, overpaid), newest=True)


@dataclass(frozen=True, kw_only=True)
class UnpaidAtSession:
    """What is still to be paid at a distribution that is not over, in minor units of the shop's currency."""

    session_id: str
    sale: str
    ends_at: datetime
    orders: int
    due: int


def unpaid_at_sessions(tx: Transaction, enterprise_id: str) -> list[UnpaidAtSession]:
    """Returns what the unpaid orders of a shop that are not late come to, by session, the next distribution first.

    With `unpaid_orders(late=True)` that is all that is unpaid: each order is in exactly one of both, except orders of
    guests that are not confirmed yet, which may come to nothing. One statement.
    """
    session, sale = sale_session.c, coordination.c
    statement = (
        select(
            _order.session_id,
            sale.name.label("sale"),
            session.ends_at,
            func.count().label("orders"),
            func.sum(_order.total - _order.paid_total).label("due"),
        )
        .select_from(customer_order)
        .join(sale_session, session.id == _order.session_id)
        .join(coordination, sale.id == session.coordination_id)
        .outerjoin(guest_order, guest_order.c.order_id == _order.id)
        .where(not_(func.coalesce(is_unconfirmed(), False)))
        .where(*_is_unpaid(enterprise_id), not_(_is_late(tx.now)))
        .group_by(_order.session_id, sale.name, session.ends_at)
        .order_by(session.ends_at, _order.session_id)
    )
    return [UnpaidAtSession(**{**row, "due": int(row["due"])}) for row in tx.all(statement)]


def _is_late(now: datetime) -> ColumnElement[bool]:
    over = select(sale_session.c.id).where(sale_session.c.ends_at <= now)
    return or_(_order.fulfilment_state == "Fulfilled", _order.session_id.in_(over))


def _is_unpaid(enterprise_id: str) -> tuple[ColumnElement[bool], ...]:
    of_shop = (_order.enterprise_id == enterprise_id, _order.state.in_(("Held", "Complete")))
    return (*of_shop, _order.payment_state == "Unpaid", _order.total > _order.paid_total)


def find_orders(
    tx: Transaction, enterprise_id: str, text: str, *, order_ids: Collection[str] = (), addresses: bool
) -> list[OrderSummary]:
    """Returns orders of all sales of a shop with this number, e-mail address or telephone number, and those with one of
    these ids, newest first.

    E-mail addresses only with `addresses`: who may not read them does not learn whose they are by typing them.

    At most 200. These are exact: a list of one sale is searched by `summaries_of_session`.
    """
    matches: list[ColumnElement[bool]] = [_order.phone == text]
    if addresses:
        matches.append(func.lower(_order.email) == text.lower())
    if text.isascii() and text.isdigit() and len(text) < 10:
        matches.append(_order.number == int(text))
    if order_ids:
        matches.append(_order.id.in_(sorted(order_ids)))
    newest_first = _summaries(tx, _order.enterprise_id == enterprise_id, or_(*matches), newest=True)
    return newest_first[:_MOST]


def orders_to_join(
    tx: Transaction, enterprise_id: str, session_id: str, *, email: str, customer_id: str | None = None
) -> list[OrderSummary]:
    """Returns the orders of this address, or of this customer, at a shop's session that may still get more goods.

    An address proves nothing: `merge_orders` decides whether two of them may become one.
    """
    is_theirs = and_(_order.email != "", func.lower(_order.email) == email.lower())
    if customer_id is not None:
        is_theirs = or_(is_theirs, and_(_order.customer_id == customer_id, _order.identity != Identity.TYPED))
    going = (_order.state.in_(("Held", "Complete")), _order.fulfilment_state != "Fulfilled")
    return _summaries(tx, _order.enterprise_id == enterprise_id, _order.session_id == session_id, is_theirs, *going)


def summaries_of_customer(tx: Transaction, enterprise_id: str, customer_id: str) -> list[OrderSummary]:
    """Returns the orders that belong to a customer of the shop, over all sales, newest first; at most 200."""
    is_theirs = _order.id.in_(order_ids_of_customer(customer_id))
    return _summaries(tx, _order.enterprise_id == enterprise_id, is_theirs, newest=True)


def orders_with_product(tx: Transaction, session_id: str, name: str) -> set[str]:
    """Returns the ids of a session's orders in which a line's name contains this text, whatever its case."""
    statement = select(_line.order_id).join(customer_order, _order.id == _line.order_id)
    pattern = _line.name.icontains(name, autoescape=True)
    return {row["order_id"] for row in tx.all(statement.where(_order.session_id == session_id, pattern))}


def count_orders_with(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> int:
    """Returns how many orders of the shop hold pieces of these items and are still to be handed over, in any sale."""
    going = (_order.state.in_(("Held", "Complete")), _order.fulfilment_state != "Fulfilled")
    statement = select(func.count(_order.id.distinct())).join(order_line, _line.order_id == _order.id)
    has_item = (_line.item_id.in_(sorted(item_ids)), _line.quantity > 0)
    return int(tx.value(statement.where(_order.enterprise_id == enterprise_id, *going, *has_item)) or 0)


def prices_in_session(tx: Transaction, session_id: str) -> dict[str, int]:
    """Returns the highest price for everybody of one piece while each item was ordered in a session, by item id, in
    minor units: groups of customers may have paid less or more."""
    for_everybody = func.coalesce(_line.list_price, _line.price)
    statement = select(_line.item_id, func.max(for_everybody).label("price"))
    placed = statement.join(customer_order, _order.id == _line.order_id).where(_order.session_id == session_id)
    rows = tx.all(placed.where(_order.state.in_(("Held", "Complete")), _line.quantity > 0).group_by(_line.item_id))
    return {row["item_id"]: int(row["price"]) for row in rows}


def _summaries(tx: Transaction, *conditions: ColumnElement[bool], newest: bool = False) -> list[OrderSummary]:
    joined = customer_order.outerjoin(guest_order, guest_order.c.order_id == _order.id)
    placed = select(*_COLUMNS, _CONFIRM_BY).select_from(joined).where(*conditions, _order.state != "Draft")
    number = _order.number.desc() if newest else _order.number
    rows = tx.all(placed.order_by(number).limit(_MOST) if newest else placed.order_by(number))
    counts = _counts(tx, placed.with_only_columns(_order.id)) if rows else {}
    return [OrderSummary(**row, **counts.get(row["id"], _Counts())._asdict()) for row in rows]


def _counts(tx: Transaction, orders: Select[tuple[str]]) -> dict[str, _Counts]:
    statement = (
        select(
            _line.order_id,
            func.sum(_line.quantity).label("pieces"),
            func.count().label("lines"),
            func.sum(case((_is_unweighed, 1), else_=0)).label("unweighed"),
        )
        .where(_line.order_id.in_(orders), _line.quantity > 0)
        .group_by(_line.order_id)
    )
    return {
        row["order_id"]: _Counts(int(row["pieces"]), row["lines"], int(row["unweighed"])) for row in tx.all(statement)
    }
