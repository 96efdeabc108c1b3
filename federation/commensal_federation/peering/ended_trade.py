"""Ends the trade with a peer, by our operator's decision or the peer's."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction

from ..delivery.alerts import alert
from ..delivery.tables import federation_inbox, federation_lane, federation_outbox
from ..peers.changing import change_peer
from ..peers.values import Peer
from ..runtime import Federation

_NEVER = "revoked: the two instances do not trade any more"


def end_trade(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Revokes the peer. Waiting messages of both directions become dead letters, so none counts as delivered.

    Its goods are taken off sale; people must settle what customers have ordered of them.
    """
    from ..catalogue.grants import close_grants  # here, since these rooms import this one
    from ..orders.ended import settle_ended_trade

    change_peer(tx, peer_id, state="revoked", revoked_at=tx.now, recovering=False)
    outbox, inbox = federation_outbox.c, federation_inbox.c
    dead_letter = {"state": "dead", "error": _NEVER}
    tx.execute(update(federation_outbox).where(outbox.peer_id == peer_id, outbox.state == "waiting"), dead_letter)
    tx.execute(update(federation_inbox).where(inbox.peer_id == peer_id, inbox.state == "parked"), dead_letter)
    tx.execute(update(federation_lane).where(federation_lane.c.peer_id == peer_id), {"parked": 0})
    close_grants(federation, tx, peer_id)
    settle_ended_trade(tx, peer_id)


def record_revocation(federation: Federation, tx: Transaction, peer: Peer, reason: str) -> None:
    """Ends the trade because the peer has revoked it, and alerts the operator."""
    end_trade(federation, tx, peer.id)
    alert(tx, peer.id, "revoked", f"It has ended the trade. {reason}".strip())
