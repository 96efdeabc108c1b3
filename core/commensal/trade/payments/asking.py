"""Sees to it that who pays an order has been asked for what is due, before an e-mail tells them how."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select

from ...base.errors import Refused
from ...instance import Instance
from ...storage.database import Row, Transaction
from ..orders.tables import customer_order
from .begin import start_payment
from .payments import OPEN, payments_of
from .values import Payment

_log = structlog.get_logger("commensal.payments")
_order = customer_order.c


def ask_for_what_is_due(instance: Instance, order_id: str, *, return_url: str) -> None:
    """Begins the payment that the customer chose where none has begun, for their browser may have gone away; and begins
    one anew that asks for another amount than the order costs by now. Not inside a transaction.

    Whatever keeps it from beginning is logged: the order's page offers the other ways to pay.
    """
    balance = (_order.total - _order.paid_total).label("balance")
    wanted = select(
        _order.enterprise_id, _order.language, _order.payment_method, _order.version, balance
    ).where(_order.id == order_id, _order.state.in_(("Held", "Complete")), balance > 0)  # fmt: skip
    with instance.store.read() as tx:
        order = tx.first(wanted)
        missing = _missing(tx, order_id, order) if order is not None else None
    if order is None or missing is None:
        return
    method, key = missing
    try:
        start_payment(instance, order_id, method, key, order["language"], return_url=return_url)
    except Refused as error:
        _log.warning("the payment of an order could not begin", order=order_id, method=method, exc_info=error)


def _missing(tx: Transaction, order_id: str, order: Row) -> tuple[str, str] | None:
    """Method and key of the payment that is to begin; None where the payer has been asked for what is due, or where
    they have to choose. The keys are those of the shop's pages, so that both begin the same payment."""
    begun = [one for one in payments_of(tx, order["enterprise_id"], order_id) if one.kind == "payment"]
    if not begun:
        return (order["payment_method"], f"order:{order_id}") if order["payment_method"] else None
    under_way = waiting(begun)
    if under_way is None or under_way.amount == order["balance"]:
        return None
    return under_way.method, f"order:{order_id}:v{order['version']}"


def waiting(payments: Sequence[Payment]) -> Payment | None:
    """The payment under way, of which an order has one at most."""
    return next((one for one in reversed(payments) if one.kind == "payment" and one.state in OPEN), None)
