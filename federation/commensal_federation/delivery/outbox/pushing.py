"""Pushes the waiting messages of one lane to one peer, in batches, by one job at a time, until the lane is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, select, update

from commensal import Instance, Job, Row, Transaction, clock_in_doubt, enqueue

from ...grants.sale_ends import update_peer_sales
from ...peers.peers import Peer, peer_by_id
from ...peers.tables import federation_peer
from ...runtime import Federation, federation_of
from ...transport import Answer, Unreachable
from ..alerts import alert
from ..calling import ENVELOPE, NDJSON, address_of, inbox_of, send
from ..lanes import PUSH, RECOVER, change_lane, is_busy, lane_row
from ..restore.restored import notice_restore
from ..tables import federation_outbox
from ..values import UNKNOWN_PEER
from .breaker import GIVEN_UP, Verdict, came_through, close_without_messages, held, judge, next_try, note_failure
from .failed import expire, fail

BATCH = 50  # messages
_BYTES = 4 * 1024 * 1024  # of a batch
_ROUNDS = 200  # of one job; then another takes over, so that other work gets its turn
_CLAIM = timedelta(minutes=2)  # longer than a call may take
_box = federation_outbox.c
_OLDEST = (
    select(federation_outbox)
    .where(_box.peer_id == bindparam("peer"), _box.lane == bindparam("name"), _box.state == "waiting")
    .order_by(_box.epoch, _box.seq)
    .limit(bindparam("most"))
)  # made once, since each batch needs it, and these too
_SETTLED = update(federation_outbox).where(_box.id.in_(bindparam("messages", expanding=True)))
_WAITING = _SETTLED.where(_box.state == "waiting")  # a refusal may have come while the answer was under way
_TRIED = _WAITING.values(attempts=_box.attempts + 1)
_NO_PEER = ((403, "peer"), (401, UNKNOWN_PEER))  # it has ended the trade, or was restored to before it
_FORGOTTEN = (
    "It does not know this instance (any more). If it was restored from a backup from before you became peers, its "
    "operator invites this instance again: all that was agreed and ordered comes back then."
)
_REPLAYED = (401, "nonce")  # of this one request: somebody sent a copy of it first; each attempt has a nonce of its own
_NUMBERS = ("seq", "epoch", "chain")  # codes of a peer that has heard something else from us under this number


@dataclass(frozen=True)
class _Batch:
    peer: Peer
    rows: Sequence[Row]


def push(instance: Instance, job: Job) -> None:
    """Job: pushes what waits in a lane. Messages that may not go yet get a job of their own later."""
    federation = federation_of(instance)
    notice_restore(federation)
    push_lane(federation, job.payload["peer"], job.payload["lane"], by=job.id)


def push_lane(
    federation: Federation, peer_id: str, lane: str, *, by: str = "", recovery: bool = False, before: int = 0
) -> None:
    """Pushes what waits in a lane; `by` is the id of the job. `recovery`: also during a recovery after a restore; then
    only messages of epochs earlier than `before`, if that is not 0."""
    transact = federation.instance.store.transact
    for _ in range(_ROUNDS):
        batch = transact(lambda tx: _claim(federation, tx, peer_id, lane, by, recovery, before))
        if batch is None:
            return
        settle = partial(_settle, federation, lane=lane, batch=batch, verdict=_deliver(federation, batch))
        transact(settle)
    transact(lambda tx: enqueue(tx, PUSH, {"peer": peer_id, "lane": lane}))


def _claim(
    federation: Federation, tx: Transaction, peer_id: str, lane: str, by: str, recovery: bool, before: int
) -> _Batch | None:
    """Returns the next batch and reserves the lane for this job; None if there is nothing to push now.

    The lane's row is locked, as `post` does: either this job sees a new message, or `post` sees that no job is enqueued
    any more.
    """
    row = lane_row(tx, peer_id, lane, "out", lock=True)
    if row is None or is_busy(row, by, tx.now):
        return None
    peer = peer_by_id(tx, peer_id)
    if not _may_go(peer, lane, recovery):
        change_lane(tx, peer_id, lane, "out", {"promised": False})
        return None
    if held(peer, tx.now):
        _put_off(tx, peer_id, lane, peer.held_until)
        return None
    waiting = _waiting(federation, tx, peer, lane, 1 if row["failures"] or peer.breaker == "open" else BATCH, before)
    if not waiting:
        change_lane(tx, peer_id, lane, "out", {"promised": False, "worked_until": None, "failures": 0})
        close_without_messages(tx, peer)
        return None
    change_lane(tx, peer_id, lane, "out", {"promised": True, "worked_until": tx.now + _CLAIM, "worked_by": by})
    return _Batch(peer, waiting)


def _may_go(peer: Peer, lane: str, recovery: bool) -> bool:
    if peer.recovering and not recovery:
        return False
    return peer.state == "accepted" or lane == "peering"


def _waiting(federation: Federation, tx: Transaction, peer: Peer, lane: str, most: int, before: int) -> Sequence[Row]:
    """Returns the oldest waiting messages that fit into one request. Those that have expired, or were tried for a week,
    become dead letters, except while our clock is in doubt: then they are sent, and the peer judges by its own clock.
    """
    statement = _OLDEST.where(_box.epoch < before) if before else _OLDEST
    while oldest := tx.all(statement, {"peer": peer.id, "name": lane, "most": most}):
        rows = [row for row in oldest if not _given_up(federation, tx, row)]
        if rows:
            return _one_request(rows)
    return []


def _given_up(federation: Federation, tx: Transaction, row: Row) -> bool:
    expired = row["expires_at"] is not None and row["expires_at"] < tx.now
    tried_for_long = row["attempts"] > 0 and row["created_at"] < tx.now - GIVEN_UP
    if not (expired or tried_for_long) or clock_in_doubt(tx):
        return False
    if expired:
        expire(federation, tx, row)
    else:
        fail(federation, tx, row, "given_up", f"It was tried for a week: {row['error']}")
    return True


def _one_request(rows: Sequence[Row]) -> Sequence[Row]:
    """Returns as many of the first rows as one request may carry; a PeerRequest is sent alone."""
    batch, size = [rows[0]], len(rows[0]["body"])
    for row in rows[1:]:
        size += len(row["body"])
        if size > _BYTES or "PeerRequest" in (row["type"], batch[0]["type"]):
            break
        batch.append(row)
    return batch


def _deliver(federation: Federation, batch: _Batch) -> Verdict:
    bodies = [row["body"].encode() for row in batch.rows]
    try:
        answer = _send(federation, batch, bodies)
    except Unreachable as error:
        return judge(None, [row["id"] for row in batch.rows], str(error), federation.instance.clock.now())
    return judge(answer, [row["id"] for row in batch.rows], "", federation.instance.clock.now())


def _send(federation: Federation, batch: _Batch, bodies: Sequence[bytes]) -> Answer:
    if batch.rows[0]["type"] == "PeerRequest":  # the one message to somebody who does not know us
        return send(federation, address_of(batch.peer, "requests"), bodies[0], ENVELOPE)
    return send(federation, inbox_of(batch.peer), b"\n".join(bodies), NDJSON)


def _settle(federation: Federation, tx: Transaction, lane: str, batch: _Batch, verdict: Verdict) -> None:
    """Records the result of each message. A refusal is never a success; a message without an answer is tried again."""
    state = lane_row(tx, batch.peer.id, lane, "out", lock=True)  # before anything else, as `post` does
    peer = peer_by_id(tx, batch.peer.id)
    rows = {row["id"]: row for row in batch.rows}
    delivered = {"state": "delivered", "error": "", "finished_at": tx.now}
    if verdict.delivered:
        tx.change(_SETTLED, {"messages": list(verdict.delivered), **delivered})
    if verdict.known:
        tx.change(_WAITING, {"messages": list(verdict.known), **delivered})
    for receipt in verdict.refused:
        if _still_waits(tx, receipt.id):
            fail(federation, tx, rows[receipt.id], receipt.code or str(receipt.status), receipt.text)
    if verdict.again:
        tx.change(_TRIED, {"messages": list(verdict.again), "error": verdict.error[:1000]})
    _notice_refusals(federation, tx, peer, verdict, is_first=state is None or not state["failures"])
    if verdict.answered:
        _after_success(tx, peer, lane, verdict)
    else:
        _after_failure(tx, peer, lane, verdict)


def _after_success(tx: Transaction, peer: Peer, lane: str, verdict: Verdict) -> None:
    came_through(tx, peer)
    _note_refusing(tx, peer, False)
    if verdict.again:
        _come_back(tx, peer.id, lane, verdict.not_before, answers=True)
    else:
        change_lane(tx, peer.id, lane, "out", {"worked_until": None, "failures": 0, "due_at": None})


def _after_failure(tx: Transaction, peer: Peer, lane: str, verdict: Verdict) -> None:
    _come_back(tx, peer.id, lane, verdict.not_before, probe=note_failure(tx, peer))


def _come_back(
    tx: Transaction,
    peer_id: str,
    lane: str,
    not_before: datetime | None,
    *,
    probe: datetime | None = None,
    answers: bool = False,
) -> None:
    """Plans a retry, later after each failure; while the breaker is open, at its next probe."""
    row = lane_row(tx, peer_id, lane, "out")
    assert row is not None
    due_at = probe or next_try(tx, row["failures"], answers=answers)
    if not_before is not None:
        due_at = max(due_at, not_before)
    change_lane(tx, peer_id, lane, "out", {"failures": row["failures"] + 1})
    _put_off(tx, peer_id, lane, due_at)


def _put_off(tx: Transaction, peer_id: str, lane: str, due_at: datetime | None) -> None:
    """Enqueues a job for that moment; a job that runs earlier finds the lane busy."""
    values = {"promised": True, "worked_until": None, "due_at": due_at}
    change_lane(tx, peer_id, lane, "out", values)
    enqueue(tx, PUSH, {"peer": peer_id, "lane": lane}, due_at=due_at)


def _still_waits(tx: Transaction, id: str) -> bool:
    return bool(tx.value(select(_box.state).where(_box.id == id)) == "waiting")


def _notice_refusals(federation: Federation, tx: Transaction, peer: Peer, verdict: Verdict, *, is_first: bool) -> None:
    """Alerts the operator, and starts the repairs that need no person."""
    refusal = (verdict.status, verdict.said.get("code"))
    passes = verdict.status == 403 and refusal not in _NO_PEER and is_first  # as while it replaces our document
    if verdict.status in (401, 403) and refusal != _REPLAYED and not passes:
        forgotten = verdict.said.get("code") == UNKNOWN_PEER
        alert(tx, peer.id, "refused", _FORGOTTEN if forgotten else f"It refuses our messages: {verdict.error}")
    if refusal in _NO_PEER:
        _note_refusing(tx, peer, True)
    for receipt in verdict.refused:
        alert(tx, peer.id, "dead_letter", f"It refused {receipt.id}: {receipt.status} {receipt.code} {receipt.text}")
        if receipt.status == 409 and receipt.code in _NUMBERS and not peer.recovering:
            enqueue(tx, RECOVER, {"peer": peer.id})


def _note_refusing(tx: Transaction, peer: Peer, refusing: bool) -> None:
    """Records whether the peer refuses our messages. Its goods are off sale here as long as it does."""
    if peer.refusing != refusing:
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id).values(refusing=refusing))
        update_peer_sales(tx, peer.id)
