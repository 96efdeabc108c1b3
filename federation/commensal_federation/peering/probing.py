"""Probes a peer at an operator's request, without waiting for the breaker's next attempt."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import update

from commensal import Transaction

from ..delivery.calling import address_of, fetch
from ..delivery.clocks import apart_of
from ..delivery.lanes import enqueue_pulls, enqueue_push
from ..delivery.values import UNKNOWN_PEER
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import Unreadable, read_json
from ..transport import Answer, Unreachable

_SIZE = 64 * 1024  # bytes
_peer = federation_peer.c


Probe = Literal["answers", "silent", "clock", "unknown", "refuses"]


def probe(federation: Federation, peer_id: str) -> Probe:
    """How the peer answers a signed request now. If it does, enqueues jobs that push and pull what waits on both sides;
    only a delivery closes its breaker. Not inside a transaction. Raises `NotFound`.

    "clock": it refuses us, and the clocks differ; "unknown": it does not know this instance (any more).
    """
    with federation.instance.store.read() as tx:
        peer = peer_by_id(tx, peer_id)
    try:
        answer = fetch(federation, f"{address_of(peer, 'inbox')}?lane=peering&after=0.0&limit=1", size=_SIZE)
    except Unreachable:
        return "silent"
    if answer.status != 200:
        return _refusal(federation, answer)
    federation.instance.store.transact(lambda tx: _retry_now(tx, peer_id))
    return "answers"


def _refusal(federation: Federation, answer: Answer) -> Probe:
    if apart_of(answer, federation.instance.clock.now()) is not None:
        return "clock"
    try:
        code = read_json(answer.body, _SIZE).get("code")
    except Unreadable:
        return "refuses"
    return "unknown" if code == UNKNOWN_PEER else "refuses"


def _retry_now(tx: Transaction, peer_id: str) -> None:
    tx.execute(update(federation_peer).where(_peer.id == peer_id).values(held_until=tx.now, ask_after=None))
    peer = peer_by_id(tx, peer_id)
    if peer.active:
        enqueue_push(tx, peer_id)
        enqueue_pulls(tx, peer_id, peer.epoch_seen)
