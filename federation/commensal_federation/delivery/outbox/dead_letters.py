"""Messages as operators see them: those exchanged, those without effect, and how to retry or discard them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Table, select, update

from commensal import Conflict, NotFound, Row, Transaction

from ...peers.peers import peer_by_id
from ...runtime import Federation
from ..inbox.dispatch import handle_kept
from ..lanes import enqueue_push
from ..tables import federation_inbox, federation_outbox

Box = Literal["in", "out"]
_TABLES: dict[Box, Table] = {"in": federation_inbox, "out": federation_outbox}


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A sent or received message. `at` (UTC) is when it was received ("in") or posted ("out")."""

    id: str
    box: Box
    peer_id: str
    lane: str
    type: str
    state: str
    attempts: int
    error: str
    at: datetime


def dead_letters(
    tx: Transaction, box: Box, *, state: str = "dead", peer_id: str = "", after: str = "", limit: int = 50
) -> Sequence[Letter]:
    """Returns dead letters ordered by id, which for one peer is by time."""
    column = _TABLES[box].c
    statement = select(_TABLES[box]).where(column.state == state, column.id > after)
    if peer_id:
        statement = statement.where(column.peer_id == peer_id)
    return [_letter(row, box) for row in tx.all(statement.order_by(column.id).limit(limit))]


def dead_letter(tx: Transaction, box: Box, id: str) -> Letter:
    """Returns one dead letter. Raises `NotFound`."""
    return _letter(_dead(tx, box, id), box)


def newest(tx: Transaction, box: Box, *, peer_id: str = "", type: str = "", limit: int = 50) -> Sequence[Letter]:
    """Returns messages to ("out") or from ("in") all peers or one of them, the newest first."""
    column = _TABLES[box].c
    statement = select(_TABLES[box])
    if peer_id:
        statement = statement.where(column.peer_id == peer_id)
    if type:
        statement = statement.where(column.type == type)
    moment = column.received_at if box == "in" else column.created_at
    return [_letter(row, box) for row in tx.all(statement.order_by(moment.desc(), column.id.desc()).limit(limit))]


def replay(federation: Federation, tx: Transaction, box: Box, id: str) -> Letter:
    """Sends our message again, or handles the peer's again. Raises `NotFound`, and `Conflict` if the other instance is
    no peer any more."""
    row = _dead(tx, box, id)
    peer = peer_by_id(tx, row["peer_id"])
    if not peer.active:
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    if box == "in":
        handle_kept(federation, tx, peer, row, last=True)
    else:
        requeue = update(federation_outbox).where(federation_outbox.c.id == id)
        tx.execute(requeue, {"state": "waiting", "attempts": 0, "created_at": tx.now, "finished_at": None})
        enqueue_push(tx, peer.id)
    return _letter(tx.one(select(_TABLES[box]).where(_TABLES[box].c.id == id)), box)


def discard(tx: Transaction, box: Box, id: str) -> Letter:
    """Discards a dead letter: it is kept as evidence, and not listed any more. Raises `NotFound`."""
    _dead(tx, box, id)
    table = _TABLES[box]
    tx.execute(update(table).where(table.c.id == id), {"state": "discarded"})
    return _letter(tx.one(select(table).where(table.c.id == id)), box)


def _dead(tx: Transaction, box: Box, id: str) -> Row:
    column = _TABLES[box].c
    row = tx.first(select(_TABLES[box]).where(column.id == id, column.state == "dead"))
    if row is None:
        raise NotFound("no_dead_letter", "There is no dead letter {id}.", id=id)
    return row


def _letter(row: Row, box: Box) -> Letter:
    columns = {name: row[name] for name in ("id", "peer_id", "lane", "type", "state", "attempts", "error")}
    return Letter(**columns, box=box, at=row["received_at" if box == "in" else "created_at"])
