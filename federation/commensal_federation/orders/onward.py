"""A regional hub passes on what shops elsewhere order of others' goods: each hop is an order of its own."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from commensal import Transaction, products_by_id

from ..messages.bodies.orders import AnswerLine, InstanceOrder
from ..runtime import Federation
from .hub import producers_of, tell
from .questions import order_of
from .supplier import answer_order
from .tables import federation_order

_order = federation_order.c
_SUPPLIER = select(_order.enterprise_id).where(_order.id == bindparam("order"), _order.role == "supplier")
_PASSED_ON = select(_order.id).where(_order.iri == bindparam("order"), _order.role == "supplier")


def pass_on(federation: Federation, tx: Transaction, order_id: str) -> None:
    """Orders of the producers what this order, of a hub elsewhere, has of their goods."""
    row = tx.first(_SUPPLIER, {"order": order_id})
    if row is None:
        return
    order = order_of(tx, row["enterprise_id"], order_id, role="supplier")
    products = products_by_id(tx, [line.product_id for line in order.lines])
    for mirror in producers_of(tx, order.enterprise_id):
        ordered = {
            line.product_id: line.coming if line.doubt else line.quantity
            for line in order.lines
            if products[line.product_id].enterprise_id == mirror.enterprise_id and line.quantity
        }
        tell(
            federation, tx, mirror, order.enterprise_id, ordered, order.state, session_id=order.id,
            session_iri=order.iri, session_name=order.session_name, closes_at=order.closes_at,
            begins_at=order.begins_at,
        )  # fmt: skip


def pass_answer_back(federation: Federation, tx: Transaction, onward: InstanceOrder) -> bool:
    """What a producer says to an order that was passed on goes to whoever ordered first. False for our own orders."""
    first = tx.first(_PASSED_ON, {"order": onward.session_iri})
    if first is None:
        return False
    order = order_of(tx, onward.enterprise_id, first["id"], role="supplier")
    said = {line.product_id: line for line in onward.lines if line.answer}
    changes = {
        line.item_iri: AnswerLine(
            item_iri=line.item_iri,
            answer=said[line.product_id].answer,
            confirmed=min(line.quantity, said[line.product_id].coming),
            reason=said[line.product_id].reason,
            final_quantity=said[line.product_id].final_quantity,
        )
        for line in order.lines
        if line.product_id in said and not line.doubt
    }
    if changes and order.state != "Cancelled":
        answer_order(federation, tx, order.enterprise_id, order.id, changes, lost=False, in_doubt=False)
    return True
