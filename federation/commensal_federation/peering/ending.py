"""Suspends, resumes or revokes a peer, with immediate effect on messages and orders under way too."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Conflict, Transaction

from ..delivery import post
from ..delivery.alerts import alert
from ..delivery.lanes import enqueue_pulls, enqueue_push
from ..delivery.tables import federation_inbox, federation_lane, federation_outbox
from ..grants.sale_ends import lift_barrier, update_peer_sales
from ..messages.peering import PeerRevoke
from ..peers.changing import change_peer
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation

# Ends the trade with a peer, by our operator's decision or the peer's.

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


def suspend(tx: Transaction, peer_id: str) -> Peer:
    """Suspends a peer: until it is resumed, no message is accepted from it or sent to it, and its goods are not sold.

    Raises `NotFound`, `Conflict`.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state != "accepted":
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    change_peer(tx, peer_id, state="suspended", suspended_at=tx.now)
    update_peer_sales(tx, peer_id)
    return peer_by_id(tx, peer_id)


def go_on_without(tx: Transaction, peer_id: str) -> Peer:
    """Lifts the barrier after a restore: a person decides to sell without waiting for this peer's report.

    When it answers, an alert tells if it holds more than there is. Raises `NotFound`, and `Conflict` without a barrier.
    """
    peer = peer_by_id(tx, peer_id)
    if not lift_barrier(tx, peer_id):
        raise Conflict("no_barrier", "Nothing waits for {name}.", name=peer.name)
    return peer_by_id(tx, peer_id)


def resume(tx: Transaction, peer_id: str) -> Peer:
    """Resumes a suspended peer, and lets both sides catch up. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.state != "suspended":
        raise Conflict("peer_not_suspended", "{name} is not suspended.", name=peer.name)
    change_peer(tx, peer_id, state="accepted", suspended_at=None)
    update_peer_sales(tx, peer_id)
    enqueue_push(tx, peer_id)
    enqueue_pulls(tx, peer_id, peer.epoch_seen)
    return peer_by_id(tx, peer_id)


def revoke(federation: Federation, tx: Transaction, peer_id: str, *, reason: str = "") -> Peer:
    """Ends the agreement and notifies the peer if it can be reached. Only a new invitation begins another one.

    Raises `NotFound`, and `Conflict` if it has ended already.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    end_trade(federation, tx, peer_id)
    post(federation, tx, peer_id, "PeerRevoke", PeerRevoke(reason))
    return peer_by_id(tx, peer_id)
