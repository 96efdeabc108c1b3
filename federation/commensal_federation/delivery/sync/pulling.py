"""Fetches the missing messages of a lane from a peer. A push is only quicker: no message depends on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from commensal import Instance, Job, Transaction, enqueue

from ...peers.peers import Peer, peer_by_id
from ...runtime import LONGEST, Federation, federation_of
from ...transport import Answer, Unreachable
from ..alerts import alert
from ..calling import address_of, fetch
from ..inbox.inbox import Inbox, TooMuchKept
from ..inbox.receiving import check_all, take_or_refuse
from ..lanes import PULL, change_lane, held_lane, is_busy, lane_row
from ..outbox.breaker import next_try
from ..restore.restored import notice_restore
from ..tables import federation_inbox
from ..values import Receipt
from .states import ask_state

# Cursors: a position in a lane, written ``epoch.seq``.

_CURSOR = re.compile(r"(0|[1-9][0-9]{0,14})\.(0|[1-9][0-9]{0,14})", re.ASCII)

Cursor = tuple[int, int]


def read_cursor(text: str) -> Cursor | None:
    """Returns the cursor; None for any other text."""
    match = _CURSOR.fullmatch(text)
    return (int(match[1]), int(match[2])) if match else None


def write_cursor(cursor: Cursor) -> str:
    return f"{cursor[0]}.{cursor[1]}"


_FOR_NOW = (425, 429)  # not taken now, and later perhaps
LIMIT = 200  # messages of one request
SIZE = 8 * 1024 * 1024  # bytes of its answer
_ROUNDS = 100  # of one job
_CLAIM = timedelta(minutes=3)


class Halt(Exception):
    """This job cannot go on now; a later one continues from the same cursor."""


class NotYet(Halt):
    """The peer answers, and sends what is not taken here now."""


def pull(instance: Instance, job: Job) -> None:
    """Job: fetches a lane. Failures are retried with growing delay, as long as the other instance is a peer."""
    federation = federation_of(instance)
    notice_restore(federation)
    pull_lane(federation, job.payload["peer"], job.payload["lane"], by=job.id)


def pull_lane(federation: Federation, peer_id: str, lane: str, *, by: str = "", recovery: bool = False) -> bool:
    """Fetches until nothing is missing; `by` is the id of the job. Returns whether that was reached.

    `recovery`: our messages from before a restore have been fetched, so those of others that refer to them can be
    handled.
    """
    transact = federation.instance.store.transact
    peer = transact(lambda tx: _claim(tx, peer_id, lane, by, recovery))
    if peer is None:
        return False
    try:
        for _ in range(_ROUNDS):
            if not _round(federation, peer, lane, recovery):
                transact(lambda tx: _end(tx, peer_id, lane))
                return True
        transact(lambda tx: _again(tx, peer_id, lane, failed=False))
    except (Unreachable, Halt) as error:
        answers = isinstance(error, NotYet)
        transact(lambda tx: _again(tx, peer_id, lane, failed=True, answers=answers))
    return False


def _claim(tx: Transaction, peer_id: str, lane: str, by: str, recovery: bool) -> Peer | None:
    peer = peer_by_id(tx, peer_id)
    row = held_lane(tx, peer_id, lane, "in", peer.epoch_seen)
    if peer.state != "accepted" or (peer.recovering and not recovery):  # all lanes are fetched after the recovery
        change_lane(tx, peer_id, lane, "in", {"promised": False})
        return None
    if is_busy(row, by, tx.now):
        return None
    change_lane(tx, peer_id, lane, "in", {"promised": True, "worked_until": tx.now + _CLAIM, "worked_by": by})
    return peer


def _round(federation: Federation, peer: Peer, lane: str, recovery: bool) -> bool:
    """Makes one request. Returns whether there is more to fetch."""
    with federation.instance.store.read() as tx:
        peer = peer_by_id(tx, peer.id)
        row = lane_row(tx, peer.id, lane, "in")
    assert row is not None
    at: Cursor = (row["epoch"], row["seq"])
    url = f"{address_of(peer, 'outbox')}?lane={lane}&after={write_cursor(at)}&limit={LIMIT}"
    answer = fetch(federation, url, size=SIZE)
    if answer.status == 410:
        return _below_floor(federation, peer, lane, answer)
    head = read_cursor(answer.header("x-fed-head"))
    if answer.status != 200 or head is None:
        _refused(federation, peer, lane, at, answer)
        raise Halt
    lines = [line for line in answer.body.split(b"\n") if line][: LIMIT + 1]
    receipts = _take(federation, peer, lines, recovery)
    if any(receipt.status in _FOR_NOW for receipt in receipts):
        raise NotYet
    return _after(federation, peer, lane, at, head)


def _take(federation: Federation, peer: Peer, lines: Sequence[bytes], recovery: bool) -> Sequence[Receipt]:
    read = check_all(federation, peer, lines)

    def store(tx: Transaction) -> Sequence[Receipt]:
        inbox = Inbox(federation, tx, peer_by_id(tx, peer.id), pulled=True, recovery=recovery)
        receipts: list[Receipt] = []
        for message in read:
            receipts.append(take_or_refuse(inbox, message))
            if receipts[-1].status in _FOR_NOW:
                break  # whatever came after it would count as the next, and this one as one that the peer has not
        inbox.finish()
        return receipts

    try:
        return federation.instance.store.transact(store, seconds=LONGEST)
    except TooMuchKept:
        return [Receipt(429)]


def _after(federation: Federation, peer: Peer, lane: str, at: Cursor, head: Cursor) -> bool:
    """Whether there is more to fetch. Messages that the peer should have sent and has not, or that are unreadable, are
    recorded as lost."""

    def look(tx: Transaction) -> bool:
        current = peer_by_id(tx, peer.id)
        row = held_lane(tx, peer.id, lane, "in", current.epoch_seen)
        now: Cursor = (row["epoch"], row["seq"])
        if now >= head:
            return False
        if now > at:
            return True
        if head[0] != now[0]:
            raise Halt  # of an epoch that has not begun for us
        alert(tx, peer.id, "lost", f"{lane}: messages from {write_cursor(now)} to {write_cursor(head)} cannot be read")
        change_lane(tx, peer.id, lane, "in", {"seq": head[1], "top": max(head[1], row["top"]), "hash": ""})
        return False

    return federation.instance.store.transact(look)


def _below_floor(federation: Federation, peer: Peer, lane: str, answer: Answer) -> bool:
    """Asks for the whole state, because the peer does not keep the next messages any more, and moves the lane to the
    first that it keeps."""
    floor = read_cursor(answer.header("x-fed-floor"))
    if floor is None:
        raise Halt
    federation.instance.store.transact(lambda tx: ask_state(federation, tx, peer, lane))

    def jump(tx: Transaction) -> bool:
        row = held_lane(tx, peer.id, lane, "in", peer.epoch_seen)
        if floor[0] != row["epoch"] or floor[1] <= row["seq"]:
            raise Halt
        values = {"seq": floor[1], "top": max(floor[1], row["top"]), "hash": ""}
        change_lane(tx, peer.id, lane, "in", values)
        return True

    return federation.instance.store.transact(jump)


def _refused(federation: Federation, peer: Peer, lane: str, at: Cursor, answer: Answer) -> None:
    """Alerts the operator if the peer says that we have read more than it has sent. Other refusals are retried."""
    if answer.status == 409:
        federation.instance.store.transact(lambda tx: _alert_future_cursor(tx, peer.id, lane, at))


def _alert_future_cursor(tx: Transaction, peer_id: str, lane: str, at: Cursor) -> None:
    """Chooses the alert: only a message that the peer has signed under this number proves that it was restored."""
    row = federation_inbox.c
    place = (row.peer_id == peer_id, row.lane == lane, row.epoch == at[0], row.seq == at[1])
    message_id = tx.value(select(row.id).where(*place))
    if message_id is not None:
        alert(tx, peer_id, "forgotten", f"{lane}: it has sent {message_id} as {write_cursor(at)}, and denies it.")
    else:
        text = f"{lane}: it says that it has not sent {write_cursor(at)}, and that message is not kept here."
        alert(tx, peer_id, "future_cursor", text)


def _end(tx: Transaction, peer_id: str, lane: str) -> None:
    change_lane(tx, peer_id, lane, "in", {"promised": False, "worked_until": None, "failures": 0, "due_at": None})


def _again(tx: Transaction, peer_id: str, lane: str, *, failed: bool, answers: bool = False) -> None:
    row = lane_row(tx, peer_id, lane, "in", lock=True)
    assert row is not None
    failures = row["failures"] + 1 if failed else 0
    due_at = next_try(tx, failures, answers=answers) if failed else tx.now
    values = {"promised": True, "worked_until": None, "failures": failures, "due_at": due_at}
    change_lane(tx, peer_id, lane, "in", values)
    enqueue(tx, PULL, {"peer": peer_id, "lane": lane}, due_at=due_at)
