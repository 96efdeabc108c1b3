"""Probes a peer at an operator's request, without waiting for the breaker's next attempt."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction

from ..delivery.calling import address_of, fetch
from ..delivery.lanes import enqueue_pulls, enqueue_push
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..transport import Unreachable

_SIZE = 64 * 1024  # bytes
_peer = federation_peer.c


def probe(federation: Federation, peer_id: str) -> bool:
    """Whether the peer answers a signed request now. If so, enqueues jobs that push and pull what waits on both sides;
    only a delivery closes its breaker. Not inside a transaction. Raises `NotFound`."""
    with federation.instance.store.read() as tx:
        peer = peer_by_id(tx, peer_id)
    try:
        answer = fetch(federation, f"{address_of(peer, 'inbox')}?lane=peering&after=0.0&limit=1", size=_SIZE)
    except Unreachable:
        return False
    if answer.status != 200:
        return False
    federation.instance.store.transact(lambda tx: _retry_now(tx, peer_id))
    return True


def _retry_now(tx: Transaction, peer_id: str) -> None:
    tx.execute(update(federation_peer).where(_peer.id == peer_id).values(held_until=tx.now, ask_after=None))
    peer = peer_by_id(tx, peer_id)
    if peer.active:
        enqueue_push(tx, peer_id)
        enqueue_pulls(tx, peer_id, peer.epoch_seen)
