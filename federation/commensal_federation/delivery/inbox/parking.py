"""Retries parked messages when more has come, and gives most of them up after ten minutes."""

from __future__ import annotations

from sqlalchemy import func, select, update

from commensal import Row, Transaction

from ...messages.types import Reading
from ...peers.peers import peer_by_id
from ...peers.rate_windows import windows_of
from ...peers.values import Peer
from ...runtime import Federation
from ...signing import PublicKey
from ..lanes import where_lane
from ..outbox.failed import own_envelope
from ..tables import federation_inbox, federation_lane
from .dispatch import PATIENCE, HandlingResult, handle
from .verification import Checked, NotTaken, read_object

_box = federation_inbox.c
_AT_ONCE = 200
_ROUNDS = 5  # of one call: what is done in one may be what the next was waiting for


def has_room(tx: Transaction, peer: Peer) -> bool:
    """Whether another parked message or dead letter of the peer fits into its limit."""
    count = select(func.count()).where(_box.peer_id == peer.id, _box.state.in_(("parked", "dead")))
    stored: int = tx.value(count)
    return stored < peer.limits.kept_rows


def retry_parked(federation: Federation, tx: Transaction, peer: Peer) -> int:
    """Retries the peer's parked messages, the oldest first, until none of them ends. Returns those that ended."""
    ended = 0
    for _ in range(_ROUNDS):
        rows = _parked(tx, peer.id)
        if not _may_try(federation, tx, peer, len(rows)):
            return ended
        now = sum(_try(federation, tx, peer, row, last=False) for row in rows)
        ended += now
        if not now or now == len(rows):
            return ended
    return ended


def _may_try(federation: Federation, tx: Transaction, peer: Peer, number: int) -> bool:
    """Retries count against the limits of messages, so that one message does not cause two hundred retries."""
    tried, _ = windows_of(federation.instance).add(f"parked {peer.id}", tx.now, number=number)
    return tried <= peer.limits.messages


def give_up_parked(federation: Federation, tx: Transaction) -> None:
    """Tries messages that have been parked for ten minutes a last time. They become dead letters, and their senders are
    told, except where this instance itself ends the wait, as with a move."""
    overdue = select(federation_inbox).where(_box.state == "parked", _box.received_at < tx.now - PATIENCE)
    for row in tx.all(overdue.order_by(_box.received_at).limit(_AT_ONCE)):
        _try(federation, tx, peer_by_id(tx, row["peer_id"]), row, last=True)


def handle_kept(federation: Federation, tx: Transaction, peer: Peer, row: Row, *, last: bool) -> HandlingResult:
    """Handles a stored message again, and records the result."""
    outcome = _handle(federation, tx, peer, row, last)
    ended = update(federation_inbox).where(_box.id == row["id"])
    tx.execute(ended, {"state": outcome.state, "error": outcome.error, "attempts": row["attempts"] + 1})
    return outcome


def _handle(federation: Federation, tx: Transaction, peer: Peer, row: Row, last: bool) -> HandlingResult:
    """The proof was verified when the message came; a key that was revoked since does not undo it."""
    envelope, binding = own_envelope(row["body"]), federation.messages.get(row["type"])
    if binding is None:
        return HandlingResult("dead", "type: it is not spoken here any more")
    try:
        body = read_object(federation, binding, envelope, Reading(federation.base, peer.base))
    except NotTaken as refused:  # a plugin reads otherwise since it came
        return HandlingResult("dead", f"{refused.receipt.code}: {refused.receipt.text}")
    checked = Checked(envelope, binding, body, PublicKey(row["key_id"], row["multikey"]))
    return handle(federation, tx, peer, checked, last=last)


def _try(federation: Federation, tx: Transaction, peer: Peer, row: Row, *, last: bool) -> bool:
    if handle_kept(federation, tx, peer, row, last=last).state == "parked":
        return False
    fewer = update(federation_lane).where(*where_lane(peer.id, row["lane"], "in"))
    tx.execute(fewer.values(parked=federation_lane.c.parked - 1))
    return True


def _parked(tx: Transaction, peer_id: str) -> list[Row]:
    parked = select(federation_inbox).where(_box.state == "parked", _box.peer_id == peer_id)
    return list(tx.all(parked.order_by(_box.received_at, _box.id).limit(_AT_ONCE)))
