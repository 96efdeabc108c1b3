"""What messages about orders between instances do here."""

from __future__ import annotations

from commensal import Transaction

from ..messages import Handler, MessageType, Received
from ..messages.order_answer import ORDER_ANSWER, OrderAnswer
from ..messages.order_update import ORDER_UPDATE, OrderUpdate
from ..runtime import Federation
from .answers import take_answer
from .restored import recover_answer, recover_order
from .signed_orders import keep_received
from .supplier import take_order


def handle_order_update(federation: Federation, tx: Transaction, received: Received[OrderUpdate]) -> None:
    """Takes a hub's order to a producer of ours, as it now stands."""
    take_order(federation, tx, received.peer, received.body)
    keep_received(federation, tx, received)


def handle_order_answer(federation: Federation, tx: Transaction, received: Received[OrderAnswer]) -> None:
    """Takes a producer's answer to an order of ours."""
    take_answer(federation, tx, received.peer, received.body)
    keep_received(federation, tx, received)


HANDLERS: dict[MessageType, Handler] = {
    ORDER_UPDATE: Handler(handle_order_update, recover=recover_order),
    ORDER_ANSWER: Handler(handle_order_answer, recover=recover_answer),
}
