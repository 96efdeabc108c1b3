"""Sends the producer's answer to an order to the hub."""

from __future__ import annotations

from dataclasses import replace

from commensal import Transaction

from ..delivery import post
from ..dfc.iris import enterprise_iri
from ..messages.bodies.orders import AnswerLine, InstanceOrder, OrderAnswer, Receipt
from ..runtime import Federation
from .kept_messages import keep_sent
from .write import update_order


def send_answer(federation: Federation, tx: Transaction, order: InstanceOrder, receipt: Receipt) -> None:
    """Sends the answers to all lines of this order, as they are now, under the next number; with what is said to what
    the hub got, see `receipts`."""
    update_order(tx, order, order.lines, answer=order.answer + 1, receipt=receipt)
    _post_answer(federation, tx, replace(order, answer=order.answer + 1, receipt=receipt))


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
