"""Trade that ends: from the transaction on in which it is heard, nothing more of a producer elsewhere is sold here."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from commensal import Transaction, hide_producer, lease_in, show_items

from ..peers.peers import peer_by_id
from ..runtime import Federation
from .holder import give_back
from .row import lease_by_id
from .sales import lots_of_peer, sells, set_ends
from .tables import federation_lease

_lease = federation_lease.c
_OF_COPY = select(_lease.id, _lease.lot_id).where(
    _lease.role == "holder", _lease.enterprise_id == bindparam("producer")
)


def stop_sales(federation: Federation, tx: Transaction, hub_id: str, producer_id: str) -> list[str]:
    """The hub may not sell the producer's goods any more; `producer_id` is its copy here. What nobody has ordered goes
    home, unless another hub here may sell it. Returns the items that were taken off the hub's lists."""
    hidden = hide_producer(tx, hub_id, producer_id)
    rows = tx.all(_OF_COPY, {"producer": producer_id})
    set_ends(tx, [row["lot_id"] for row in rows])
    if sells(tx, producer_id):
        return hidden
    for row in rows:
        lease = lease_by_id(tx, row["id"])
        if peer_by_id(tx, lease.row["peer_id"]).state in ("accepted", "suspended"):
            give_back(federation, tx, lease, lease.free)
        else:
            lease_in(tx, row["lot_id"], -lease.free, note="the trade has ended")
    return hidden


def go_on_selling(tx: Transaction, hub_id: str, producer_id: str, hidden: list[str]) -> None:
    """The hub may sell the producer's goods (again): items that were hidden when it could not any more are shown."""
    show_items(tx, hub_id, hidden)
    set_ends(tx, [row["lot_id"] for row in tx.all(_OF_COPY, {"producer": producer_id})])


def peer_changed(tx: Transaction, peer_id: str) -> None:
    """The peer is suspended, or resumed: its goods are not sold, or sold again."""
    set_ends(tx, lots_of_peer(tx, peer_id))
