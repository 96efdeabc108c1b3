"""Suspends, resumes or revokes a peer, with immediate effect on messages and orders under way too."""

from __future__ import annotations

from commensal import Conflict, Transaction

from ..availability.sale_ends import lift_barrier, update_peer_sales
from ..delivery import post
from ..delivery.lanes import enqueue_pulls, enqueue_push
from ..messages.peer_revoke import PeerRevokeBody
from ..peers.changing import change_peer
from ..peers.peers import peer_by_id
from ..peers.values import Peer
from ..runtime import Federation
from .ended_trade import end_trade


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
    post(federation, tx, peer_id, "PeerRevoke", PeerRevokeBody(reason))
    return peer_by_id(tx, peer_id)
