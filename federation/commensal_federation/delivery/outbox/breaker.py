"""The circuit breaker of a peer: while it does not answer, single messages probe it at growing intervals.

Only a successful delivery closes it, or an empty queue. A call by the peer proves that it is up and ends every wait, so
that its customers get an answer, but does not close the breaker: the peer may be able to send and not to receive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, select, update

from commensal import Transaction

from ...peers.peers import Peer
from ...peers.tables import federation_peer
from ...signing import JsonObject, Unreadable, read_json
from ...transport import Answer
from ..clocks import forget_clock
from ..lanes import bring_forward, enqueue_pulls, enqueue_push
from ..tables import federation_outbox
from ..values import Receipt

FAILURES = 5  # in a row, within `WITHIN`, open it
WITHIN = timedelta(seconds=60)
PROBES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 30))
SOONER = timedelta(seconds=1)  # a peer that calls is tried no more often than that

_peer = federation_peer.c
_ANY_WAITING = (
    select(federation_outbox.c.id)
    .where(federation_outbox.c.peer_id == bindparam("peer"), federation_outbox.c.state == "waiting")
    .limit(1)
)
_NOTE = update(federation_peer).where(_peer.id == bindparam("peer"))


def held(peer: Peer, now: datetime) -> bool:
    """Whether the breaker is open and its next probe is not due yet."""
    return peer.breaker == "open" and peer.held_until is not None and peer.held_until > now


def note_failure(tx: Transaction, peer: Peer) -> datetime | None:
    """Counts a failed delivery. Returns the moment (UTC) of the next probe if the breaker is open, else None."""
    since = peer.failing_since or tx.now
    failures = peer.failures + 1
    quick = failures >= FAILURES and tx.now - since <= WITHIN
    slow = failures >= 2 * FAILURES  # back-off has drawn the failures apart: it is no healthier for that
    opened = peer.breaker == "open" or quick or slow
    until = tx.now + _interval(failures) if opened else None
    values = {
        "failures": failures,
        "failing_since": since,
        "breaker": "open" if opened else "closed",
        "held_until": until or tx.now,
    }
    tx.change(_NOTE, {"peer": peer.id, **values})
    return until


def note_success(tx: Transaction, peer: Peer) -> bool:
    """Closes the breaker after a successful delivery. Returns whether deliveries had failed before."""
    if not peer.failures:
        return False
    values = {"failures": 0, "failing_since": None, "breaker": "closed", "held_until": None}
    tx.change(_NOTE, {"peer": peer.id, **values})
    return True


def close_without_messages(tx: Transaction, peer: Peer) -> None:
    """Closes the breaker if no message waits for the peer: all have expired, or it has read them in our outbox.

    Otherwise no delivery would ever close it, and people would be told that the peer is away. A peer that is really
    away does not read our outbox either.
    """
    if peer.breaker == "open" and tx.first(_ANY_WAITING, {"peer": peer.id}) is None:
        note_success(tx, peer)


def came_through(tx: Transaction, peer: Peer) -> None:
    """Records a successful delivery. After an outage it enqueues jobs that push all waiting messages, and that fetch
    what the peer could not deliver meanwhile."""
    if note_success(tx, peer):
        forget_clock(tx, peer.id)
        enqueue_push(tx, peer.id)
        enqueue_pulls(tx, peer.id, peer.epoch_seen)


def retry_soon(tx: Transaction, peer: Peer) -> None:
    """Plans what waits for the peer for now, or `SOONER` after the last try: the peer has called, and so is up."""
    if not peer.failures or peer.held_until is None:
        return
    last = peer.held_until
    if peer.breaker == "open":
        if peer.held_until <= tx.now + SOONER:
            return
        last -= _interval(peer.failures)
    due_at = max(tx.now, last + SOONER)
    if peer.breaker == "open":
        planned = update(federation_peer).where(_peer.id == peer.id, _peer.held_until == peer.held_until)
        if tx.execute(planned, {"held_until": due_at}).rowcount != 1:
            return
    bring_forward(tx, peer.id, due_at)


def _interval(failures: int) -> timedelta:
    return PROBES[min(max(failures - FAILURES, 0), len(PROBES) - 1)]


# When to retry: later after each failure, and spread by chance, so that retries do not come all at once.

_FIRST = 2  # seconds
LONGEST = timedelta(hours=1)
GIVEN_UP = timedelta(days=7)  # after which a message that was not delivered is a dead letter
_DOUBLINGS = 12  # more would pass `LONGEST` anyway
_ANSWERING = 5  # failures that count of a peer that answers


def chance(tx: Transaction) -> float:
    """A number from 0 to below 1 from the instance's source of randomness, which a simulation can repeat."""
    return int.from_bytes(sha256(tx.ids.secret().encode()).digest()[:6]) / 2**48


def delay(failures: int, chance: float) -> timedelta:
    """The delay after so many failures in a row: min(1 h, 2 s · 2^n) · (0.5 + chance)."""
    return min(LONGEST, timedelta(seconds=_FIRST * 2.0 ** min(failures, _DOUBLINGS))) * (0.5 + chance)


def next_try(tx: Transaction, failures: int, *, answers: bool = False) -> datetime:
    """When a lane is tried again after so many failures in a row: within two minutes at most where the peer `answers`,
    since what a wrong clock has dated ahead is taken, there or here, as soon as its moment has come."""
    return tx.now + delay(min(failures, _ANSWERING) if answers else failures, chance(tx))


def retry_after(header: str, now: datetime) -> datetime | None:
    """The delay of a Retry-After in seconds (RFC 9110, 10.2.3), at most an hour; dates are not read."""
    if not header.isascii() or not header.isdecimal() or len(header) > 9:
        return None
    return now + min(LONGEST, timedelta(seconds=int(header)))


# Judges a peer's answer to a push for each message: delivered, refused, or to be sent again.

_LARGEST = 256 * 1024
# Of a whole request these say something about the caller, the moment or the place, and nothing about its messages.
_OF_THE_CALL = {401, 403, 404, 408, 425, 429}
# Of a single message: it came too early, or the peer has no room for it now.
_LATER = {408, 425, 429}


@dataclass(frozen=True)
class Verdict:
    """answered: the peer has read the request and said what it thinks of its messages
    delivered:  it has taken them
    known:      it had taken them before, or took them and will not do what they say: it may have told so already
    not_before: it asks not to be called before (Retry-After, at most an hour)
    status:     of the whole answer; 0 where there was none
    """

    answered: bool
    delivered: Sequence[str] = ()
    known: Sequence[str] = ()
    refused: Sequence[Receipt] = ()
    again: Sequence[str] = ()
    error: str = ""
    status: int = 0
    not_before: datetime | None = None
    said: Mapping[str, object] = field(default_factory=dict)


def judge(answer: Answer | None, ids: Sequence[str], error: str, now: datetime) -> Verdict:
    """Judges the answer to a request that carried the messages `ids`, in this order. None: nothing came back."""
    if answer is None:
        return Verdict(False, again=ids, error=error)
    document = _read(answer.body)
    wait = retry_after(answer.header("retry-after"), now)
    if answer.status in (200, 202):
        receipts = _receipts(document, ids)
        if receipts is not None:
            return _each(receipts, wait)
        return Verdict(False, again=ids, error="an answer that says nothing", status=answer.status)
    code, text = str(document.get("code", ""))[:100], str(document.get("detail") or document.get("title") or "")[:500]
    error_text = f"{answer.status} {code} {text}".strip()
    final = 400 <= answer.status < 500 and answer.status not in _OF_THE_CALL
    if final and len(ids) == 1:  # of several, it is not said which: they are sent one by one then
        return Verdict(True, refused=[Receipt(answer.status, ids[0], code, text)], status=answer.status, said=document)
    return Verdict(False, again=ids, error=error_text, status=answer.status, not_before=wait, said=document)


def _each(receipts: Sequence[Receipt], wait: datetime | None) -> Verdict:
    already_known = [receipt for receipt in receipts if receipt.taken and receipt.code in ("known", "dead")]
    later = [receipt for receipt in receipts if receipt.status in _LATER or receipt.status >= 500]
    return Verdict(
        True,
        delivered=[receipt.id for receipt in receipts if receipt.taken and receipt not in already_known],
        known=[receipt.id for receipt in already_known],
        refused=[receipt for receipt in receipts if not receipt.taken and receipt not in later],
        again=[receipt.id for receipt in later],
        error="; ".join(sorted({f"{receipt.status} {receipt.code}" for receipt in later})),
        status=202,
        not_before=wait,
    )


def _receipts(document: JsonObject, ids: Sequence[str]) -> Sequence[Receipt] | None:
    """Returns one receipt for each message, in their order; None for an answer that does not cover them all."""
    entries = document.get("messages")
    if not isinstance(entries, list) or len(entries) != len(ids):
        return None
    receipts = []
    for id, entry in zip(ids, entries, strict=True):
        status = entry.get("status") if isinstance(entry, dict) else None
        if type(status) is not int or not 100 <= status < 600:
            return None
        code, text = str(entry.get("code", ""))[:100], str(entry.get("text", ""))[:500]
        receipts.append(Receipt(status, id, code, text))
    return receipts


def _read(body: bytes) -> Mapping[str, object]:
    try:
        return read_json(body, _LARGEST)
    except Unreadable:
        return {}
