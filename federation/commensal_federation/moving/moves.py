"""Reads and writes the rows of moves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from functools import cache

from sqlalchemy import bindparam, insert, select, update

from commensal import NotFound, Row, RowQuery, Transaction

from ..authority.tables import federation_move
from ..messages.moving import MoveRow, Role
from ..peers.peers import WELL_KNOWN, Peer, peer_by_iri

_row = federation_move.c
_COLUMNS = [_row[field.name] for field in fields(MoveRow)]


def moves(
    tx: Transaction, *, role: Role | None = None, states: Collection[str] = (), after: str = "", limit: int = 50
) -> Sequence[MoveRow]:
    """Returns moves ordered by id, after the id `after`."""
    rows = tx.all(_moves(role, tuple(sorted(states))), {"after": after, "most": limit})
    return [_read(row) for row in rows]


@cache
def _moves(role: Role | None, states: tuple[str, ...]) -> RowQuery:
    query = select(*_COLUMNS).where(_row.id > bindparam("after"))
    if role is not None:
        query = query.where(_row.role == role)
    if states:
        query = query.where(_row.state.in_(states))
    return query.order_by(_row.id).limit(bindparam("most"))


def move_by_id(tx: Transaction, move_id: str, *, locked: bool = True) -> MoveRow:
    """Returns the move, locked by default. Raises `NotFound`."""
    query = select(*_COLUMNS).where(_row.id == move_id)
    row = tx.first(query.with_for_update() if locked else query)
    if row is None:
        raise NotFound("no_move", "There is no such move.")
    return _read(row)


def find_move(
    tx: Transaction, role: Role, states: Collection[str], *, iri: str, peer_id: str | None = None
) -> MoveRow | None:
    """Returns the newest move of the enterprise with this old address in one of these states, locked; or None."""
    conditions = [_row.role == role, _row.old_iri == iri, _row.state.in_(sorted(states))]
    if peer_id is not None:
        conditions.append(_row.peer_id == peer_id)
    row = tx.first(select(*_COLUMNS).where(*conditions).order_by(_row.id.desc()).limit(1).with_for_update())
    return None if row is None else _read(row)


def last_arrival(tx: Transaction, enterprise_id: str) -> MoveRow | None:
    """Returns the newest move by which the enterprise came here; None if it never moved here."""
    arrived = (_row.role == "coming", _row.state == "done", _row.enterprise_id == enterprise_id)
    row = tx.first(select(*_COLUMNS).where(*arrived).order_by(_row.id.desc()).limit(1))
    return None if row is None else _read(row)


def last_departure(tx: Transaction, iri: str) -> MoveRow | None:
    """Returns the newest move by which the enterprise at this address of ours leaves or has left; or None."""
    leaves = (_row.role == "leaving", _row.old_iri == iri)
    row = tx.first(select(*_COLUMNS).where(*leaves).order_by(_row.id.desc()).limit(1))
    return None if row is None else _read(row)


def open_move(tx: Transaction, role: Role, state: str, **values: object) -> MoveRow:
    """Inserts a move and returns it; columns that are not given are empty."""
    defaults: dict[str, object] = {
        "new_iri": "",
        "enterprise_id": None,
        "owner_id": None,
        "said": {},
        "until": None,
        "created_by": None,
    }
    fixed = {"id": tx.new_id(), "role": role, "state": state, "error": "", "created_at": tx.now, "changed_at": tx.now}
    tx.execute(insert(federation_move), {**defaults, **values, **fixed})
    return move_by_id(tx, str(fixed["id"]))


def set_move(tx: Transaction, move: MoveRow, **values: object) -> MoveRow:
    tx.execute(update(federation_move).where(_row.id == move.id).values(**values, changed_at=tx.now))
    return move_by_id(tx, move.id)


def base_of(iri: str) -> str:
    """Returns the base address of the instance in an enterprise's IRI."""
    return iri.partition("/api/dfc/")[0]


def peer_at(tx: Transaction, iri: str) -> Peer | None:
    """Returns the peer at whose address this enterprise is; None for an unknown instance."""
    return peer_by_iri(tx, base_of(iri) + WELL_KNOWN)


def _read(row: Row) -> MoveRow:
    return MoveRow(**row)
