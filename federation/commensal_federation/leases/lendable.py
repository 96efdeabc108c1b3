"""Which lots a peer may lease: those listed by an enterprise that has granted the peer something.

Not those that this instance leases from that very peer: after a move, requests of the new home that are still on their
way to the old one ask for goods of its own, and units granted for them would lie under a lease that nobody holds.
"""

from __future__ import annotations

from commensal import StockLot, Transaction
from commensal.trade import lots_by_id, who_lists

from ..dfc.iris import local_id
from ..grants.questions import grantors_to
from ..messages.types import Refuse
from ..peers.values import Peer
from ..runtime import Federation
from .joined import main_lot
from .row import holdings_of


def is_lendable(tx: Transaction, peer: Peer, lot_id: str) -> bool:
    """Whether an enterprise that lists goods of this lot has granted something to the peer, who does not lend it us."""
    if any(holding.row["peer_id"] == peer.id for holding in holdings_of(tx, [lot_id])):
        return False
    return bool(who_lists(tx, main_lot(tx, lot_id)) & grantors_to(tx, peer.id))


def lendable_lot(federation: Federation, tx: Transaction, peer: Peer, lot_iri: str) -> StockLot:
    """Returns the lot. Raises the same `Refuse` for an unknown lot and for one that the peer may not lease."""
    lot_id = local_id(federation.base, lot_iri, "stocks")
    lot = lots_by_id(tx, [lot_id]).get(lot_id) if lot_id else None
    if lot is None or not is_lendable(tx, peer, lot.id):
        raise Refuse("not_granted", "There is no such lot, or nobody has granted it to you.")
    return lot
