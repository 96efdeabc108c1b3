"""An operator suspends a peer, takes that back, or ends it. All of it holds at once, for what is under way too."""

from __future__ import annotations

from commensal import Conflict, Transaction

from ..delivery import post
from ..delivery.lanes import promise_pulls, promise_push
from ..leases.sales import lift_barrier
from ..leases.stopping import update_peer_sales
from ..messages.peer_revoke import PeerRevokeBody
from ..peers.changing import change_peer
from ..peers.peers import peer_by_id
from ..peers.values import Peer
from ..runtime import Federation
from .forgetting import end


def suspend(tx: Transaction, peer_id: str) -> Peer:
    """Until it is resumed, nothing of the peer's is taken, nothing goes out to it, and nothing of its goods is sold.

    Raises `NotFound`, `Conflict`.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state != "accepted":
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    change_peer(tx, peer_id, state="suspended", suspended_at=tx.now)
    update_peer_sales(tx, peer_id)
    return peer_by_id(tx, peer_id)


def go_on_without(tx: Transaction, peer_id: str) -> Peer:
    """After a restore: a person decides that what this peer may hold does not matter, or has asked by telephone.

    What it holds all the same is known when it answers, and told where it is more than there is. Raises `NotFound`,
    `Conflict` where nothing waits for it.
    """
    peer = peer_by_id(tx, peer_id)
    if not lift_barrier(tx, peer_id):
        raise Conflict("no_barrier", "Nothing waits for {name}.", name=peer.name)
    return peer_by_id(tx, peer_id)


def resume(tx: Transaction, peer_id: str) -> Peer:
    """Goes on with a suspended peer: both sides catch up. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.state != "suspended":
        raise Conflict("peer_not_suspended", "{name} is not suspended.", name=peer.name)
    change_peer(tx, peer_id, state="accepted", suspended_at=None)
    update_peer_sales(tx, peer_id)
    promise_push(tx, peer_id)
    promise_pulls(tx, peer_id, peer.epoch_seen)
    return peer_by_id(tx, peer_id)


def revoke(federation: Federation, tx: Transaction, peer_id: str, *, reason: str = "") -> Peer:
    """Ends it, and tells the other side, as far as it can be reached. Only a new invitation begins anew.

    Raises `NotFound`, and `Conflict` where it is ended already.
    """
    peer = peer_by_id(tx, peer_id)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    end(federation, tx, peer_id)
    post(federation, tx, peer_id, "PeerRevoke", PeerRevokeBody(reason))
    return peer_by_id(tx, peer_id)
