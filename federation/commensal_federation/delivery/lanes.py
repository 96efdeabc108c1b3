"""Lanes: messages of one kind to one peer are numbered without gaps, and each has the hash of the one before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update

from commensal import Row, RowQuery, Transaction, enqueue, insert_once

from ..messages.envelope import LanePlace
from ..messages.types import LANES, Lane
from .tables import federation_lane

PUSH = "federation.push"  # jobs: {"peer": its id, "lane": …}
PULL = "federation.pull"
RECOVER = "federation.recover"  # {"peer": its id, "claim": what it claims to have of us, if anything}
RECOVER_REST = "federation.recover_rest"  # {"peer": its id}
_lane = federation_lane.c


# Made once, since each message needs them.
_ONE = (_lane.peer_id == bindparam("peer"), _lane.lane == bindparam("name"), _lane.direction == bindparam("way"))
_ROW = select(federation_lane).where(*_ONE)
_LOCKED = _ROW.with_for_update()
_HELD = (
    select(_lane.peer_id)
    .where(_lane.peer_id.in_(bindparam("peers", expanding=True)), _lane.lane == bindparam("name"))
    .where(_lane.direction == "out")
    .order_by(_lane.peer_id)
    .with_for_update()
)
_CHANGE = update(federation_lane).where(*_ONE)
_OUT = update(federation_lane).where(
    _lane.peer_id == bindparam("peer"), _lane.lane == bindparam("name"), _lane.direction == "out"
)
_PROMISING = update(federation_lane).where(*_ONE, ~_lane.promised)
_TAKE = _OUT.values(seq=_lane.seq + 1).returning(_lane.epoch, _lane.seq, _lane.hash, _lane.promised)
_POSTED = _OUT.values(hash=bindparam("last"), promised=True)


def where_lane(peer_id: str, lane: str, direction: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions for the row of one lane."""
    return (_lane.peer_id == peer_id, _lane.lane == lane, _lane.direction == direction)


def change_lane(tx: Transaction, peer_id: str, lane: str, direction: str, values: Mapping[str, object]) -> None:
    """Writes these columns of the lane's row; does nothing if there is no row."""
    tx.change(_CHANGE, {"peer": peer_id, "name": lane, "way": direction, **values})


def lane_row(tx: Transaction, peer_id: str, lane: str, direction: str, *, lock: bool = False) -> Row | None:
    """Returns the lane's row; None before its first message. `lock`: until the transaction ends."""
    return tx.first(_LOCKED if lock else _ROW, {"peer": peer_id, "name": lane, "way": direction})


def is_busy(row: Row, by: str, now: datetime) -> bool:
    """Whether another job than `by` works on the lane, or a retry is planned for later. A job goes on with its own
    work: its process had died, and another has taken it up."""
    is_worked = row["worked_until"] is not None and row["worked_until"] > now
    return (is_worked and not (by and row["worked_by"] == by)) or (row["due_at"] is not None and row["due_at"] > now)


def hold_lanes(tx: Transaction, peer_ids: Collection[str], lane: Lane) -> None:
    """Locks the outgoing lanes to these peers, always in the same order, so that two transactions that post to several
    peers cannot wait for each other."""
    tx.all(_HELD, {"peers": sorted(peer_ids), "name": lane})


def lanes_locked(of: RowQuery) -> RowQuery:
    """A query that locks the lanes `name` to the peers that `of` selects and to the `peers`, in the order of
    `hold_lanes`, and returns how many there are: one row to read, however many it locks."""
    which = or_(_lane.peer_id.in_(of), _lane.peer_id.in_(bindparam("peers", expanding=True)))
    locked = select(_lane.peer_id).where(which, _lane.lane == bindparam("name"), _lane.direction == "out")
    return select(func.count()).select_from(locked.order_by(_lane.peer_id).with_for_update().subquery())


def held_lane(tx: Transaction, peer_id: str, lane: str, direction: str, epoch: int) -> Row:
    """Returns the lane's row, locked until the transaction ends; makes it in `epoch` if there is none."""
    row = lane_row(tx, peer_id, lane, direction, lock=True)
    if row is None:
        open_lane(tx, peer_id, lane, direction, epoch)
        row = lane_row(tx, peer_id, lane, direction, lock=True)
        assert row is not None
    return row


def posted(tx: Transaction, peer_id: str, lane: Lane, hash: str) -> None:
    """Records the hash of the newest message, and that a job will push it."""
    tx.change(_POSTED, {"peer": peer_id, "name": lane, "last": hash})


def next_place(tx: Transaction, peer_id: str, lane: Lane, epoch: int) -> tuple[LanePlace, bool]:
    """Returns the next number of the outgoing lane, and whether a job to push it is enqueued already. The lane stays
    locked until the transaction ends, so numbers have no gaps and follow the order of commits."""
    which = {"peer": peer_id, "name": lane}
    row = tx.first(_TAKE, which)
    if row is None:
        open_lane(tx, peer_id, lane, "out", epoch)
        row = tx.one(_TAKE, which)
    return LanePlace(lane, row["epoch"], row["seq"], row["hash"]), bool(row["promised"])


def open_lane(tx: Transaction, peer_id: str, lane: str, direction: str, epoch: int) -> None:
    """Makes the row of a new lane; does nothing if there is one."""
    row = {
        "peer_id": peer_id,
        "lane": lane,
        "direction": direction,
        "epoch": epoch,
        "seq": 0,
        "top": 0,
        "hash": "",
        "swept": 0,
        "parked": 0,
        "size": 0,
        "promised": False,
        "worked_until": None,
        "worked_by": "",
        "failures": 0,
        "due_at": None,
    }
    insert_once(tx, federation_lane, row)


def enqueue_push(tx: Transaction, peer_id: str) -> None:
    """Enqueues jobs that push all waiting messages to the peer at once, whatever was planned."""
    waiting = update(federation_lane).where(_lane.peer_id == peer_id, _lane.direction == "out")
    for row in tx.all(waiting.values(promised=True, due_at=None).returning(_lane.lane)):
        enqueue(tx, PUSH, {"peer": peer_id, "lane": row["lane"]})


def bring_forward(tx: Transaction, peer_id: str, due_at: datetime) -> None:
    """Enqueues jobs that push at `due_at` what was planned for later."""
    later = update(federation_lane).where(_lane.peer_id == peer_id, _lane.direction == "out", _lane.due_at > due_at)
    for row in tx.all(later.values(promised=True, due_at=due_at).returning(_lane.lane)):
        enqueue(tx, PUSH, {"peer": peer_id, "lane": row["lane"]}, due_at=due_at)


def enqueue_pull(tx: Transaction, peer_id: str, lane: str) -> None:
    """Enqueues a job that fetches missing messages of the lane, unless there is one."""
    if tx.change(_PROMISING, {"peer": peer_id, "name": lane, "way": "in", "promised": True}) == 1:
        enqueue(tx, PULL, {"peer": peer_id, "lane": lane})


def enqueue_pulls(tx: Transaction, peer_id: str, epoch: int) -> None:
    """Enqueues such jobs for all lanes of the peer, also those without a message so far. `epoch` is the peer's."""
    for lane in LANES:
        open_lane(tx, peer_id, lane, "in", epoch)
        enqueue_pull(tx, peer_id, lane)
