"""What customers have ordered of a producer with whose instance the trade has ended: people settle it, and are told."""

from __future__ import annotations

from sqlalchemy import select

from commensal import Transaction

from ..delivery.alerts import alert
from .cutting import Missing, hand_over, ordered_pieces
from .questions import order_of
from .tables import federation_order

_order = federation_order.c


def settle_ended(tx: Transaction, peer_id: str) -> None:
    """Each line that the peer's producers have not confirmed becomes a question to the hub's people; of what they have
    confirmed, and of what hubs there have ordered here, they are told."""
    mine = (_order.peer_id == peer_id, _order.state != "Cancelled")
    told = []
    for row in tx.all(select(_order.id, _order.enterprise_id, _order.role).where(*mine).order_by(_order.id)):
        order = order_of(tx, row["enterprise_id"], row["id"])
        waiting = [line for line in order.lines if line.quantity and not line.answer]
        for line in waiting if order.role == "buyer" else ():
            ordered = ordered_pieces(tx, order.session_id, line.product_id)
            missing = Missing(
                order_id=order.id, enterprise_id=order.enterprise_id, session_id=order.session_id,
                item_iri=line.item_iri, product_id=line.product_id, pieces=min(line.quantity, ordered),
            )  # fmt: skip
            hand_over(tx, missing, ordered)
        if waiting:
            told.append(f"{order.session_name} ({order.other_name})")
    if told:
        alert(tx, peer_id, "unsettled", f"Nobody has confirmed: {'; '.join(told)}")
