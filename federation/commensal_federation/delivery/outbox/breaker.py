"""The breaker of a peer: one that does not answer is asked by one message now and then, and not by all of them.

Only a delivery of ours that succeeds closes it, or that nothing is left to deliver. That a peer calls us shows that it
is up, so it is tried sooner, and nothing more: a peer that can send and cannot receive must not look healthy.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update

from commensal import Transaction

from ...peers.tables import federation_peer
from ...peers.values import Peer
from ..lanes import enqueue_pulls, enqueue_push
from ..tables import federation_outbox

FAILURES = 5  # in a row, within `WITHIN`, open it
WITHIN = timedelta(seconds=60)
PROBES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30))
SOONER = timedelta(seconds=5)  # a peer that calls is tried no more often than that

_peer = federation_peer.c
_ANY_WAITING = (
    select(federation_outbox.c.id)
    .where(federation_outbox.c.peer_id == bindparam("peer"), federation_outbox.c.state == "waiting")
    .limit(1)
)
_NOTE = update(federation_peer).where(_peer.id == bindparam("peer"))


def held(peer: Peer, now: datetime) -> bool:
    """Whether nothing is sent to it yet."""
    return peer.breaker == "open" and peer.held_until is not None and peer.held_until > now


def note_failure(tx: Transaction, peer: Peer) -> datetime | None:
    """Counts a delivery that failed. Returns the moment before which nothing is sent, where the breaker is open."""
    since = peer.failing_since or tx.now
    failures = peer.failures + 1
    quick = failures >= FAILURES and tx.now - since <= WITHIN
    slow = failures >= 2 * FAILURES  # back-off has drawn the failures apart: it is no healthier for that
    opened = peer.breaker == "open" or quick or slow
    until = tx.now + PROBES[min(max(failures - FAILURES, 0), len(PROBES) - 1)] if opened else None
    values = {
        "failures": failures,
        "failing_since": since,
        "breaker": "open" if opened else "closed",
        "held_until": until,
    }
    tx.change(_NOTE, {"peer": peer.id, **values})
    return until


def note_success(tx: Transaction, peer: Peer) -> bool:
    """A delivery of ours came through: the breaker is closed. True where the peer had been failing."""
    if not peer.failures:
        return False
    values = {"failures": 0, "failing_since": None, "breaker": "closed", "held_until": None}
    tx.change(_NOTE, {"peer": peer.id, **values})
    return True


def close_without_messages(tx: Transaction, peer: Peer) -> None:
    """Closes the breaker if no message waits for the peer: all have expired, or it has read them in our outbox.

    Nothing would ever be sent that could close it, and people would be told that the peer is away. One that is away
    does not answer when its outbox is read either.
    """
    if peer.breaker == "open" and tx.first(_ANY_WAITING, {"peer": peer.id}) is None:
        note_success(tx, peer)


def came_through(tx: Transaction, peer: Peer) -> None:
    """A delivery of ours came through. If the peer had been away, everything that waits goes now, and what it could not
    tell us meanwhile is fetched."""
    if note_success(tx, peer):
        enqueue_push(tx, peer.id)
        enqueue_pulls(tx, peer.id, peer.epoch_seen)


def probe_soon(tx: Transaction, peer: Peer) -> None:
    """The peer has called, so it is up: the next probe goes out at once."""
    if peer.breaker != "open" or peer.held_until is None or peer.held_until <= tx.now:
        return
    tried = update(federation_peer).where(_peer.id == peer.id, _peer.held_until == peer.held_until)
    last = peer.held_until - PROBES[min(max(peer.failures - FAILURES, 0), len(PROBES) - 1)]
    if tx.now - last >= SOONER and tx.execute(tried, {"held_until": tx.now}).rowcount == 1:
        enqueue_push(tx, peer.id)
