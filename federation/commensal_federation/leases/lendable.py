"""Which lots a peer may lease: those of goods that it has been offered under a grant, and that are offered still.

That an enterprise lists the goods is not enough. After a move, requests of the new home that are still on their way to
the old one ask for goods of its own: units granted for them would lie under a lease that nobody holds.
"""

from __future__ import annotations

from commensal import StockLot, Transaction
from commensal.stock import lots_by_id

from ..dfc.iris import local_id
from ..grants.questions import is_offered
from ..messages.types import Refuse
from ..peers.values import Peer
from ..runtime import Federation
from .joined import main_lot


def is_lendable(tx: Transaction, peer: Peer, lot_id: str) -> bool:
    """Whether goods of this lot are offered to the peer under a grant."""
    return is_offered(tx, main_lot(tx, lot_id), peer.id)


def lendable_lot(federation: Federation, tx: Transaction, peer: Peer, lot_iri: str) -> StockLot:
    """Returns the lot. Raises the same `Refuse` for an unknown lot and for one that the peer may not lease."""
    lot_id = local_id(federation.base, lot_iri, "stocks")
    lot = lots_by_id(tx, [lot_id]).get(lot_id) if lot_id else None
    if lot is None or not is_lendable(tx, peer, lot.id):
        raise Refuse("not_granted", "There is no such lot, or nobody has granted it to you.")
    return lot
