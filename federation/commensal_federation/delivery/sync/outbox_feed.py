"""What a peer may read here: messages between it and this instance, as they were signed, ordered by their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Table, bindparam, func, select, tuple_, update

from commensal import Row, RowQuery, Transaction, Whole, enqueue

from ...messages.types import LANES
from ...peers.peers import Peer
from ...runtime import Federation
from ...transport import Answer
from ..alerts import alert
from ..calling import NDJSON
from ..inbox.admission import Denied
from ..lanes import RECOVER, lane_row
from ..outbox.failed import PASSED
from ..restore.epochs import newest_epoch
from ..tables import federation_inbox, federation_outbox
from .pulling import Cursor, read_cursor, write_cursor

_LIMIT = 200
_SIZE = 6 * 1024 * 1024  # bytes of an answer, but for its last line
_out, _in = federation_outbox.c, federation_inbox.c
_CURSOR = tuple_(bindparam("after_epoch", type_=Whole), bindparam("after_seq", type_=Whole))


def _beyond(table: Table) -> RowQuery:
    row = table.c
    return (
        select(row.body)
        .where(row.peer_id == bindparam("peer"), row.lane == bindparam("name"))
        .where(tuple_(row.epoch, row.seq) > _CURSOR)
        .order_by(row.epoch, row.seq)
        .limit(bindparam("most"))
    )


# Made once, since they are asked whenever somebody looks whether something is missing.
_BEYOND = {"out": _beyond(federation_outbox), "in": _beyond(federation_inbox)}
_FIRST = (
    select(_out.epoch, func.min(_out.seq).label("seq"))
    .where(_out.peer_id == bindparam("peer"), _out.lane == bindparam("name"))
    .group_by(_out.epoch)
    .order_by(_out.epoch)
    .limit(1)
)
_CAME = update(federation_outbox).where(
    _out.peer_id == bindparam("peer"),
    _out.lane == bindparam("name"),
    _out.state == "waiting",
    tuple_(_out.epoch, _out.seq) <= _CURSOR,
)


def outbox_page(federation: Federation, peer: Peer, query: Mapping[str, str]) -> Answer:
    """Answers with our messages to the peer after a cursor, and notes that it has all before the cursor.

    The answer is 410 for a cursor below what is kept. Raises `Denied` (409) for one beyond the last message: one of
    the two instances was restored from a backup then.
    """
    if peer.recovering:
        raise Denied(503, "recovering", "this instance is taking up after a restore", retry_after=60)
    lane, after, limit = _asked(query)
    with federation.instance.store.read() as tx:
        head = _head(tx, peer.id, lane)
        floor = _floor(tx, peer.id, lane, head)
        rows = [] if after < floor else _after(tx, "out", peer.id, lane, after, limit)
    headers = (("x-fed-head", write_cursor(head)), ("x-fed-floor", write_cursor(floor)))
    if after > head:
        federation.instance.store.transact(lambda tx: _ahead(tx, peer, lane, after, head))
        raise Denied(409, "future_cursor", f"{lane} ends at {write_cursor(head)}")
    if after < floor:
        return _gone(lane, floor, *headers)
    federation.instance.store.transact(lambda tx: _acknowledged(tx, peer.id, lane, after))
    return _lines(rows, *headers)


def inbox_page(federation: Federation, peer: Peer, query: Mapping[str, str]) -> Answer:
    """Answers with the peer's own messages that this instance has; it fetches those that it lost by a restore."""
    lane, after, limit = _asked(query)
    with federation.instance.store.read() as tx:
        return _lines(_after(tx, "in", peer.id, lane, after, limit))


def answers_to(federation: Federation, peer: Peer, id: str) -> Answer:
    """Answers with our answers to a message of the peer, or with none. Raises `Denied` if that message has not come."""
    with federation.instance.store.read() as tx:
        if tx.first(select(_in.id).where(_in.id == id, _in.peer_id == peer.id)) is None:
            raise Denied(404, "not_found", "this message has not come")
        statement = select(_out.body).where(_out.in_reply_to == id, _out.peer_id == peer.id)
        return _lines(tx.all(statement.order_by(_out.epoch, _out.seq).limit(_LIMIT)))


def _asked(query: Mapping[str, str]) -> tuple[str, Cursor, int]:
    lane, after, limit = query.get("lane", ""), read_cursor(query.get("after", "0.0")), query.get("limit", str(_LIMIT))
    if lane not in LANES or after is None or not (limit.isascii() and limit.isdecimal() and len(limit) < 6):
        raise Denied(400, "query", "lane, after=epoch.seq and limit must be named")
    return lane, after, max(1, min(int(limit), _LIMIT))


def _after(tx: Transaction, box: str, peer_id: str, lane: str, after: Cursor, limit: int) -> Sequence[Row]:
    page, size = [], 0
    for row in tx.all(_BEYOND[box], {**_upto(peer_id, lane, after), "most": limit}):
        page.append(row)
        size += len(row["body"])
        if size > _SIZE:
            break
    return page


def _head(tx: Transaction, peer_id: str, lane: str) -> Cursor:
    row = lane_row(tx, peer_id, lane, "out")
    return (newest_epoch(tx) or 0, 0) if row is None else (row["epoch"], row["seq"])


def _floor(tx: Transaction, peer_id: str, lane: str, head: Cursor) -> Cursor:
    """Returns the cursor before the first message that is still kept; if none is, the cursor of the last one sent."""
    row = tx.first(_FIRST, {"peer": peer_id, "name": lane})
    if row is None:
        return head if head[1] else (0, 0)
    return (0, 0) if row["seq"] == 1 else (row["epoch"], row["seq"] - 1)


def _ahead(tx: Transaction, peer: Peer, lane: str, after: Cursor, head: Cursor) -> None:
    """Enqueues a job that asks the peer for messages of ours that this instance does not have. If there are any, it was
    restored; if not, the operator is alerted to the peer's claim (see `recovering.look_for_restore`)."""
    claim = f"It asks for {lane} after {write_cursor(after)}, and we have sent up to {write_cursor(head)}."
    if peer.state == "accepted":
        enqueue(tx, RECOVER, {"peer": peer.id, "claim": claim})
    else:
        alert(tx, peer.id, "future_cursor", claim)


def _acknowledged(tx: Transaction, peer_id: str, lane: str, after: Cursor) -> None:
    """Marks messages before the cursor as delivered even if pushes failed: a peer that asks for later ones has them."""
    delivered = {"state": "delivered", "error": PASSED, "finished_at": tx.now}
    tx.change(_CAME, {**_upto(peer_id, lane, after), **delivered})


def _upto(peer_id: str, lane: str, after: Cursor) -> dict[str, object]:
    return {"peer": peer_id, "name": lane, "after_epoch": after[0], "after_seq": after[1]}


def _gone(lane: str, floor: Cursor, *headers: tuple[str, str]) -> Answer:
    """Answers 410 with a problem document (RFC 9457) that says what to do."""
    text = f"{lane} is kept from {write_cursor(floor)} on: send a StateRequest, and go on from there"
    problem = msgspec.json.encode({"title": text, "status": 410, "code": "gone"})
    return Answer(410, [("content-type", "application/problem+json"), *headers, ("cache-control", "no-store")], problem)


def _lines(rows: Sequence[Row], *more: tuple[str, str]) -> Answer:
    """Returns the messages as they were signed, one in each line."""
    content = "".join(f"{row['body']}\n" for row in rows).encode()
    headers = [("content-type", NDJSON), ("cache-control", "no-store"), ("vary", "Signature-Input"), *more]
    return Answer(200, headers, content)
