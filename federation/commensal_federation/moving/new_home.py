"""The new home: its operator and the future owner agree, and the import is tried before the old home hands over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select

from commensal import Conflict, NotFound, Transaction, person_by_id

from ..authority.authority import refuse_old_epoch
from ..authority.tables import federation_move, federation_move_part
from ..delivery import post
from ..dfc.iris import enterprise_iri, local_id
from ..messages.bodies.moving import Move, MoveAccept, MoveCancel, MoveExport, MoveOffer, MoveReady, MoveRow
from ..messages.types import Refuse
from ..peers.quotas import refuse_crowd
from ..peers.values import Peer
from ..runtime import Federation
from .bringing import bring_in, renames
from .moves import find_move, move_by_id, open_move, set_move
from .rows import AnyRow, EnterpriseRow, read_rows

UNDER_WAY = ("offered", "named", "accepted", "ready")
MOST_RENAMED = 5000  # ids: they must fit into one message
_part = federation_move_part.c


def move_offered(federation: Federation, tx: Transaction, peer: Peer, said: MoveOffer) -> None:
    """Kept for the operator to take or leave. Raises `Refuse`."""
    if local_id(peer.base, said.enterprise, "enterprises") is None:
        raise Refuse("authority", "An instance offers enterprises of its own only.")
    refuse_old_epoch(tx, said.enterprise, said.epoch)
    before = find_move(tx, "coming", UNDER_WAY, iri=said.enterprise, peer_id=peer.id)
    if before is not None:
        set_move(tx, before, state="cancelled", error="it was offered anew")
    refuse_crowd(tx, peer, federation_move, 1)
    about = {"name": said.name[:200], "old_iri": said.enterprise, "epoch": said.epoch}
    open_move(tx, "coming", "offered", peer_id=peer.id, said={"products": said.products}, **about)


def name_owner(tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """The operator agrees, if this person wants to own it here. Raises `NotFound`, `Conflict`."""
    move = _coming(tx, move_id, ("offered", "named"))
    person_by_id(tx, owner_id)
    return set_move(tx, move, state="named", owner_id=owner_id)


def accept_move(federation: Federation, tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """The future owner agrees too: the old home sends everything. Raises `NotFound`, also for anybody else."""
    move = _coming(tx, move_id, ("named",))
    if move.owner_id != owner_id:
        raise NotFound("no_move", "There is no such move.")
    post(federation, tx, move.peer_id, "MoveAccept", MoveAccept(enterprise=move.old_iri, accepted=True))
    return set_move(tx, move, state="accepted")


def refuse_move(federation: Federation, tx: Transaction, move_id: str) -> MoveRow:
    """It does not come here. Raises `NotFound`, `Conflict` once it does."""
    move = _coming(tx, move_id, UNDER_WAY)
    post(federation, tx, move.peer_id, "MoveAccept", MoveAccept(enterprise=move.old_iri, accepted=False))
    return set_move(tx, move, state="refused")


def move_cancelled(tx: Transaction, peer: Peer, said: MoveCancel) -> None:
    """The old home keeps it. What it has sent stays unused."""
    move = find_move(tx, "coming", UNDER_WAY, iri=said.enterprise, peer_id=peer.id)
    if move is not None:
        set_move(tx, move, state="cancelled")


def take_part(federation: Federation, tx: Transaction, peer: Peer, said: MoveExport) -> None:
    """Keeps a part. When all are there the import is tried, whole, and undone: only then are we ready.

    Raises `Refuse` for an enterprise that nobody here has agreed to take, and what the import raises.
    """
    move = find_move(tx, "coming", ("accepted",), iri=said.enterprise, peer_id=peer.id)
    if move is None:
        raise Refuse("no_move", "Nobody here has agreed to take that enterprise.")
    row = {"move_id": move.id, "part": said.part, "parts": said.parts, "rows": list(said.rows)}
    tx.execute(insert(federation_move_part), row)
    if tx.value(select(func.count()).where(_part.move_id == move.id)) < said.parts:
        return
    rows = rows_of(tx, move)
    renamed = renames(tx, move.old_iri, rows)
    if len(renamed) > MOST_RENAMED:
        raise Refuse("too_many_copies", f"More than {MOST_RENAMED} of its things are copied here already.")
    id = _enterprise_id(rows)
    new_iri = enterprise_iri(federation.base, renamed.get(id, id))
    move = set_move(tx, move, new_iri=new_iri, said={**move.said, "renamed": renamed})
    _try(federation, tx, move, peer, rows)
    set_move(tx, move, state="ready")
    body = MoveReady(enterprise=move.old_iri, moved_to=new_iri, renamed=renamed)
    post(federation, tx, peer.id, "MoveReady", body)


def arrive(federation: Federation, tx: Transaction, peer: Peer, said: Move) -> bool:
    """The old home has handed it over: it lives here now. False where nothing was to come here."""
    move = find_move(tx, "coming", ("ready",), iri=said.enterprise, peer_id=peer.id)
    if move is None:
        return False
    if (said.moved_to, said.epoch, dict(said.renamed)) != (move.new_iri, move.epoch, move.said["renamed"]):
        raise Refuse("other_move", "That is not the move that was agreed.")
    bring_in(federation, tx, move, peer, rows_of(tx, move))
    set_move(tx, move, state="done", enterprise_id=local_id(federation.base, move.new_iri, "enterprises"))
    return True


def rows_of(tx: Transaction, move: MoveRow) -> Sequence[AnyRow]:
    """All rows that the old home has sent. Raises `Unreadable`."""
    parts = tx.all(select(_part.rows).where(_part.move_id == move.id).order_by(_part.part))
    return [row for part in parts for row in read_rows(part["rows"])]


class _Undo(Exception):
    """The rehearsal is over."""


def _try(federation: Federation, tx: Transaction, move: MoveRow, peer: Peer, rows: Sequence[AnyRow]) -> None:
    try:
        with tx.attempt():
            bring_in(federation, tx, move, peer, rows)
            raise _Undo
    except _Undo:
        return


def _enterprise_id(rows: Sequence[AnyRow]) -> str:
    profiles = [row.id for row in rows if isinstance(row, EnterpriseRow)]
    if len(profiles) != 1:
        raise Refuse("export", "An export has one enterprise.")
    return profiles[0]


def _coming(tx: Transaction, move_id: str, states: Sequence[str]) -> MoveRow:
    move = move_by_id(tx, move_id)
    if move.role != "coming":
        raise NotFound("no_move", "There is no such move.")
    if move.state not in states:
        raise Conflict("move_state", "This move is {state}.", state=move.state)
    return move
