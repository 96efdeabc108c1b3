"""Money that was taken for an order which another telephone had handed over already: listed, never merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from commensal import NotFound, Order, Transaction, orders_by_id, payments_of
from commensal.trade import AuditFilter, audit_entries

from .handing import HandOut
from .tables import office_conflict

_conflict = office_conflict.c
_MOST = 200  # on one page


@dataclass(frozen=True, kw_only=True)
class DoubleTaking:
    """`amount` in minor units of `currency`; `name` and `number` are those of the order."""

    id: str
    order_id: str
    number: int
    name: str
    method: str
    amount: int
    currency: str
    taken_at: datetime
    person_id: str


def keep_conflict(tx: Transaction, order: Order, event: HandOut, *, taken_at: datetime, by: str) -> None:
    """Stores money that somebody took and that was not recorded, because the order was handed over before."""
    row = {
        "id": tx.new_id(),
        "enterprise_id": order.enterprise_id,
        "order_id": order.id,
        "method": event.method,
        "amount": event.amount,
        "currency": order.currency,
        "taken_at": taken_at,
        "recorded_at": tx.now,
        "person_id": by,
    }
    tx.execute(insert(office_conflict).values(row))


def open_conflicts(tx: Transaction, enterprise_id: str) -> Sequence[DoubleTaking]:
    """The conflicts that nobody has decided yet, the oldest first; at most 200."""
    columns = [_conflict[name] for name in ("id", "order_id", "method", "amount", "currency", "taken_at", "person_id")]
    is_open = (_conflict.enterprise_id == enterprise_id) & _conflict.settled_at.is_(None)
    rows = tx.all(select(*columns).where(is_open).order_by(_conflict.id).limit(_MOST))
    orders = orders_by_id(tx, {row["order_id"] for row in rows}) if rows else {}
    return [
        DoubleTaking(number=orders[row["order_id"]].number or 0, name=orders[row["order_id"]].name, **row)
        for row in rows
    ]


def count_conflicts(tx: Transaction, enterprise_id: str) -> int:
    """The number of conflicts that nobody has decided yet."""
    is_open = (_conflict.enterprise_id == enterprise_id) & _conflict.settled_at.is_(None)
    return int(tx.value(select(func.count()).select_from(office_conflict).where(is_open)))


def settle_conflict(tx: Transaction, enterprise_id: str, conflict_id: str, *, by: str) -> None:
    """Takes a conflict off the list: somebody has decided what to do about it. Raises `NotFound`."""
    is_mine = (_conflict.id == conflict_id) & (_conflict.enterprise_id == enterprise_id)
    if tx.execute(update(office_conflict).where(is_mine).values(settled_at=tx.now, settled_by=by)).rowcount != 1:
        raise NotFound


def who_took(tx: Transaction, order: Order) -> str:
    """The name of who recorded the latest payment of the order; "" if nobody did."""
    done = [payment for payment in payments_of(tx, order.enterprise_id, order.id) if payment.state == "Done"]
    if not done:
        return ""
    trail = AuditFilter(enterprise_id=order.enterprise_id, object_kind="payment", object_id=done[-1].id)
    return next((entry.person for entry in audit_entries(tx, trail, 5) if entry.person), "")
