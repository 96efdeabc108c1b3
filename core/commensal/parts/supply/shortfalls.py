"""Goods that suppliers will not bring: the shop is told by e-mail when a supplier says so, and reads which they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from ...enterprises.enterprises import addresses_of
from ...enterprises.tables import enterprise
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...storage.jobs import NewJob, enqueue_all
from .answers import LineAnswer, answer_purchase_order, cuts_of_answer
from .purchase_orders import MAIL, PurchaseOrder, locked_orders
from .tables import purchase_order, purchase_order_line


@dataclass(frozen=True, kw_only=True)
class ShortLine:
    """`confirmed` pieces of the `quantity` that was ordered will come; `reason` is what was written about it, or ""."""

    purchase_order_id: str
    supplier: str
    name: str
    quantity: int
    confirmed: int
    reason: str


def shortfalls_at_session(tx: Transaction, enterprise_id: str, session_id: str) -> list[ShortLine]:
    """Returns the goods of a shop's session of which fewer come than were ordered, by supplier, in one statement."""
    order, line = purchase_order.c, purchase_order_line.c
    statement = (
        select(
            order.id.label("purchase_order_id"),
            enterprise.c.name.label("supplier"),
            line.name,
            line.quantity,
            line.confirmed,
            line.reason,
        )
        .select_from(purchase_order)
        .join(purchase_order_line, line.order_id == order.id)
        .join(enterprise, enterprise.c.id == order.supplier_id)
        .where(order.enterprise_id == enterprise_id, order.session_id == session_id)
        .where(line.confirmed < line.quantity)
        .order_by(enterprise.c.name, order.id, line.name, line.id)
    )
    return [ShortLine(**row) for row in tx.all(statement)]


def answer_by_supplier(
    tx: Transaction,
    hooks: Hooks,
    order_id: str,
    answers: Mapping[str, LineAnswer],
    *,
    lost: bool = True,
    by: str | None = None,
) -> PurchaseOrder:
    """Answers an order to the supplier that the actor speaks for, as `answer_purchase_order`; the shop's policy decides
    whose orders shrink. Mails the shop what comes in another number than it knew. Raises `Invalid` and `Conflict`."""
    (order,) = locked_orders(tx, [order_id])
    cuts = cuts_of_answer(tx, order, answers)
    answered = answer_purchase_order(tx, hooks, order_id, answers, lost=lost, by=by)
    _mail_shop(tx, order, answered, orders_cut=len({cut.order_id for cut in cuts}))
    return answered


def _mail_shop(tx: Transaction, before: PurchaseOrder, after: PurchaseOrder, *, orders_cut: int) -> None:
    known = {line.id: line.coming for line in before.lines}
    changed = [line for line in after.lines if line.id in known and line.coming != known[line.id]]
    if not changed:
        return
    to = addresses_of(tx, after.enterprise_id)
    values = {
        "supplier": after.supplier,
        "sale": after.sale,
        "number": after.number,
        "orders_cut": orders_cut,
        "nothing": not any(line.coming for line in after.lines),
        "lines": [
            {"name": line.name, "coming": line.coming, "quantity": line.quantity, "reason": line.reason}
            for line in changed
        ],
        "path": f"office/{after.enterprise_id}/receive/{after.id}",
    }
    payload = {
        "kind": "supplier_answer",
        "language": to.language,
        "enterprise": to.name,
        "values": values,
        "caused_by": after.supplier_id,
    }
    enqueue_all(tx, [NewJob(MAIL, {**payload, "to": email}) for email in to.emails])
