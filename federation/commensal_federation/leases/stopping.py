"""Stops and resumes the sale of a remote producer's goods, in the transaction that learns of the change."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from commensal import Transaction
from commensal.catalogs import hide_producer, show_items
from commensal.parts.copies import lease_in

from ..grants.sale_ends import is_sold_here, set_sale_ends
from ..grants.tables import federation_lease
from ..peers.peers import peer_by_id
from ..runtime import Federation
from .holder import give_back
from .row import lease_by_id

_lease = federation_lease.c
_OF_COPY = (
    select(_lease.id, _lease.lot_id)
    .where(_lease.role == "holder", _lease.enterprise_id == bindparam("producer"))
    .order_by(_lease.id)
)


def stop_sales(federation: Federation, tx: Transaction, hub_id: str, producer_id: str) -> list[str]:
    """Takes the producer's goods off the hub's lists, and returns the ids of the hidden items.

    `producer_id` is the producer's copy here. Units that nobody has ordered return to the lender, unless another hub
    here may still sell them.
    """
    hidden = hide_producer(tx, hub_id, producer_id)
    rows = tx.all(_OF_COPY.with_for_update(), {"producer": producer_id})  # a lease is locked before its lot
    set_sale_ends(tx, [row["lot_id"] for row in rows])
    if is_sold_here(tx, producer_id):
        return hidden
    for row in rows:
        lease = lease_by_id(tx, row["id"])
        if peer_by_id(tx, lease.row.peer_id).state in ("accepted", "suspended"):
            give_back(federation, tx, lease, lease.free)
        else:
            lease_in(tx, row["lot_id"], -lease.free, note="the trade has ended")
    return hidden


def resume_sales(tx: Transaction, hub_id: str, producer_id: str, hidden: list[str]) -> None:
    """Shows the items that `stop_sales` had hidden: the hub may sell the producer's goods again."""
    show_items(tx, hub_id, hidden)
    set_sale_ends(tx, [row["lot_id"] for row in tx.all(_OF_COPY, {"producer": producer_id})])
