"""Passes on orders through a regional hub, which sells other producers' goods to remote shops.

Each hop is an order of its own.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from commensal import Transaction
from commensal.products import products_by_id

from ..messages.bodies.orders import InstanceOrder
from ..messages.order_answer import AnswerLine
from ..runtime import Federation
from .hub import producers_of, send_order
from .questions import order_of
from .supplier import answer_order
from .tables import federation_order

_order = federation_order.c
_SUPPLIER = select(_order.enterprise_id).where(_order.id == bindparam("order"), _order.role == "supplier")
_PASSED_ON = select(_order.id).where(_order.iri == bindparam("order"), _order.role == "supplier")


def pass_on(federation: Federation, tx: Transaction, order_id: str) -> None:
    """Orders from the remote producers the goods that a remote hub has ordered here with this order."""
    row = tx.first(_SUPPLIER, {"order": order_id})
    if row is None:
        return
    order = order_of(tx, row["enterprise_id"], order_id, role="supplier")
    products = products_by_id(tx, [line.product_id for line in order.lines])
    for producer in producers_of(tx, order.enterprise_id):
        ordered = {
            line.product_id: line.coming  # what a person has refused is not ordered of anybody
            for line in order.lines
            if products[line.product_id].enterprise_id == producer.enterprise_id and line.coming
        }
        send_order(
            federation,
            tx,
            producer,
            order.enterprise_id,
            ordered,
            order.state,
            session_id=order.id,
            session_iri=order.iri,
            session_name=order.session_name,
            closes_at=order.closes_at,
            begins_at=order.begins_at,
        )


def pass_answer_back(federation: Federation, tx: Transaction, answered_order: InstanceOrder) -> bool:
    """Answers the first order with the producer's answer to the order that was passed on, except for lines that have
    grown since: those are passed on again, and answered anew.

    Returns False for an order of our own customers.
    """
    row = tx.first(_PASSED_ON, {"order": answered_order.session_iri})
    if row is None:
        return False
    order = order_of(tx, answered_order.enterprise_id, row["id"], role="supplier")
    answered = {line.product_id: line for line in answered_order.lines if line.answer}
    changes = {
        line.item_iri: AnswerLine(
            item_iri=line.item_iri,
            answer=answered[line.product_id].answer,
            confirmed=min(order.most_of(line), answered[line.product_id].coming),
            reason=answered[line.product_id].reason,
            final_quantity=answered[line.product_id].final_quantity,
        )
        for line in order.lines
        if line.product_id in answered and not line.doubt and line.coming <= answered[line.product_id].quantity
    }
    if changes and order.state != "Cancelled":
        answer_order(federation, tx, order.enterprise_id, order.id, changes, lost=False, in_doubt=False)
    return True
