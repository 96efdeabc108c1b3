"""Reads and changes what an order costs and how much of it was paid."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import and_, case, select, update

from ..base.errors import Conflict, NotFound
from ..events.announce import announce
from ..hooks import specifications
from ..orders.sale_context import refuse_if_books_closed, sale_context
from ..orders.tables import customer_order
from ..orders.values import Identity
from ..storage.database import Transaction
from .tables import payment
from .values import OPEN, Due

_order, _payment = customer_order.c, payment.c
_COLUMNS = (
    _order.id.label("order_id"),
    _order.enterprise_id,
    _order.number,
    _order.email,
    _order.state,
    _order.currency,
    _order.total,
    _order.paid_total.label("paid"),
)


def due(tx: Transaction, enterprise_id: str, order_id: str) -> Due:
    """Returns what the order costs and what was paid. Raises `NotFound`, also for a draft: it costs nothing yet."""
    return _read(tx, enterprise_id, order_id, lock=False)


def dues_by_number(tx: Transaction, enterprise_id: str, numbers: Collection[int]) -> dict[int, Due]:
    """Returns the dues of many orders of a shop, by order number; numbers that do not exist are left out."""
    statement = select(*_COLUMNS).where(_order.enterprise_id == enterprise_id, _order.number.in_(sorted(numbers)))
    return {row["number"]: Due(**row) for row in tx.all(statement)}


def owed_by_customer(
    tx: Transaction, enterprise_id: str, customer_id: str, method: str, taken: Callable[[str], bool]
) -> int:
    """Returns what a customer still owes for placed orders to be paid by `method` ("plugin:method"), in minor units.

    Overpaid orders count as zero. `taken` tells of a payment under way, by its id, whether its money was taken already
    and only has to be recorded: then it is not owed any more. One statement reads everything, so a payment that is
    finished at this moment counts once.
    """
    balance = _order.total - _order.paid_total
    under_way = and_(_payment.order_id == _order.id, _payment.kind == "payment", _payment.state.in_(OPEN))
    open_orders = select(_order.id, balance.label("due"), _payment.id.label("payment_id"), _payment.amount).where(
        _order.enterprise_id == enterprise_id,
        _order.customer_id == customer_id,
        _order.identity != Identity.TYPED,
        _order.payment_method == method,
        _order.state.in_(("Held", "Complete")),
        _order.payment_state == "Unpaid",
        balance > 0,
    )
    owed: dict[str, int] = {}
    for row in tx.all(open_orders.outerjoin_from(customer_order, payment, under_way)):
        owed.setdefault(row["id"], row["due"])
        if row["payment_id"] is not None and taken(row["payment_id"]):
            owed[row["id"]] -= row["amount"]
    return sum(max(0, due) for due in owed.values())


def locked_due(tx: Transaction, enterprise_id: str, order_id: str) -> Due:
    """Returns the order's due and locks the order, and so its payments, until this transaction ends."""
    return _read(tx, enterprise_id, order_id, lock=True)


def _read(tx: Transaction, enterprise_id: str, order_id: str, *, lock: bool) -> Due:
    statement = select(*_COLUMNS).where(
        _order.id == order_id, _order.enterprise_id == enterprise_id, _order.state != "Draft"
    )
    row = tx.first(statement.with_for_update() if lock else statement)  # SQLite has no row locks, and needs none
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    return Due(**row)


def refuse_beyond_closed_books(tx: Transaction, order_id: str) -> None:
    """Raises `Conflict` for more than is due or owed, if the books of the order's session are closed: the figures that
    were signed would no longer be true. What is due is paid all the same. The order is locked."""
    refuse_if_books_closed(sale_context(tx, tx.value(select(_order.session_id).where(_order.id == order_id))))


def change_paid_total(tx: Transaction, order: Due, amount: int) -> None:
    """Adds `amount` minor units (negative: subtracts) to the order's paid total, and updates its payment state.

    Raises `Conflict` if more would be given back than was received; the database decides.
    """
    paid = _order.paid_total + amount
    state = case(
        (_order.state == "Cancelled", case((paid > 0, "Paid"), else_="Cancelled")),
        (paid >= _order.total, "Paid"),
        else_="Unpaid",
    )
    change = update(customer_order).where(_order.id == order.order_id, paid >= 0)
    values = {"paid_total": paid, "payment_state": state, "version": _order.version + 1}
    if tx.execute(change.values(values)).rowcount != 1:
        raise Conflict("more_than_received", "More cannot be given back than was received for this order.")
    if order.paid < order.total <= order.paid + amount and order.state != "Cancelled":
        announce(tx, specifications.order_paid, customer_order, _order.id == order.order_id)
