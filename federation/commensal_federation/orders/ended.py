"""Open orders with a peer after the trade with it has ended: people settle them, and are alerted."""

from __future__ import annotations

from sqlalchemy import select

from commensal import Transaction

from ..delivery.alerts import alert
from .cutting import Shortfall, leave_to_person, ordered_pieces
from .notices import note_unsettled
from .questions import order_of
from .tables import federation_order

_order = federation_order.c


def settle_ended_trade(tx: Transaction, peer_id: str) -> None:
    """Leaves each unconfirmed line of a hub's order to a person, and alerts them to all orders with unconfirmed lines.

    That includes orders that hubs of the peer have placed here.
    """
    filters = (_order.peer_id == peer_id, _order.state != "Cancelled")
    unsettled = []
    for row in tx.all(select(_order.id, _order.enterprise_id, _order.role).where(*filters).order_by(_order.id)):
        order = order_of(tx, row["enterprise_id"], row["id"])
        waiting = [line for line in order.lines if line.quantity and not line.answer]
        for line in waiting if order.role == "buyer" else ():
            ordered = ordered_pieces(tx, order.session_id, line.product_id)
            missing = Shortfall(
                order_id=order.id,
                enterprise_id=order.enterprise_id,
                session_id=order.session_id,
                item_iri=line.item_iri,
                product_id=line.product_id,
                pieces=min(line.quantity, ordered),
            )
            leave_to_person(tx, missing, ordered)
        if waiting:
            note_unsettled(tx, order, waiting)
            unsettled.append(f"{order.session_name} ({order.other_name})")
    if unsettled:
        alert(tx, peer_id, "unsettled", f"Nobody has confirmed: {'; '.join(unsettled)}")
