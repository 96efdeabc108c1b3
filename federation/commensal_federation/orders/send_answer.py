"""Sends the producer's answer to an order to the hub."""

from __future__ import annotations

from dataclasses import replace

from commensal import Transaction

from ..delivery import post
from ..dfc.iris import enterprise_iri
from ..messages.bodies.orders import InstanceOrder
from ..messages.order_answer import AnswerLine, OrderAnswer, Receipt
from ..runtime import Federation
from .facts import update_order
from .signed_orders import keep_sent
from .statement import claim_of


def send_answer(federation: Federation, tx: Transaction, order: InstanceOrder, receipt: Receipt) -> InstanceOrder:
    """Sends the answers to all lines of this order, as they are now, under the next number; with what is said to what
    the hub claims, see `claims`. Where that counts, the order follows it. Returns the order as it is then."""
    decided = replace(order, answer=order.answer + 1, receipt=receipt)
    if receipt in ("taken", "agreed"):
        decided = replace(decided, lines=tuple(line.settled() for line in decided.lines)).concluded()
    stored = decided if claim_of(decided) is not None else replace(decided, receipt="", objection="")
    update_order(
        tx,
        order,
        stored.lines,
        answer=stored.answer,
        receipt=stored.receipt,
        objection=stored.objection,
        state=stored.state,
        called_off=stored.called_off,
    )
    _post_answer(federation, tx, decided)
    return stored


def _post_answer(federation: Federation, tx: Transaction, order: InstanceOrder) -> None:
    body = OrderAnswer(
        iri=order.iri,
        answer=order.answer,
        rev=order.rev,
        receipt=order.receipt,
        objection=order.objection,
        lines=tuple(
            AnswerLine(
                item_iri=line.item_iri,
                answer=line.answer,
                confirmed=line.coming,
                reason=line.reason,
                final_quantity=line.final_quantity,
            )
            for line in order.lines
            if line.answer
        ),
    )
    ours = enterprise_iri(federation.base, order.enterprise_id)
    message = post(federation, tx, order.peer_id, "OrderAnswer", body, on_behalf_of=ours)
    keep_sent(federation, tx, order.id, "OrderAnswer", message)
