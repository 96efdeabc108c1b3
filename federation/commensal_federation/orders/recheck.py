"""Queues orders for another check when a peer's leases cover more than before."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select

from commensal import Transaction, insert_once

from .tables import federation_order, federation_order_due, federation_order_line

_order, _line = federation_order.c, federation_order_line.c
_WAITING = (
    select(_order.id)
    .join(federation_order_line, and_(_line.order_id == _order.id, _line.doubt == "lease"))
    .where(_order.role == "supplier", _order.peer_id == bindparam("peer"), _order.state == "Complete")
    .distinct()
)


def recheck_orders(tx: Transaction, peer_id: str) -> None:
    """Queues this peer's complete orders with a line that no lease covered; they are processed within a minute."""
    for row in tx.all(_WAITING, {"peer": peer_id}):
        insert_once(tx, federation_order_due, {"kind": "order", "id": row["id"], "at": tx.now})
