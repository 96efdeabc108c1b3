"""The new home: its operator and the future owner agree, and it rehearses the import before the old home hands over."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, insert, select

from commensal import Conflict, NotFound, Recipient, Transaction, person_by_id

from ..authority.authority import refuse_old_epoch
from ..authority.tables import federation_move, federation_move_part
from ..delivery import post
from ..dfc.iris import enterprise_iri, local_id
from ..messages.bodies.enterprise_rows import AnyRow, EnterpriseRow, read_rows
from ..messages.moving import Move, MoveAccept, MoveCancel, MoveExport, MoveFollowed, MoveOffer, MoveReady, MoveRow
from ..messages.types import Refuse
from ..notices.note import note_for_enterprise, note_for_operators
from ..notices.sending import mail_one
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer, peer_by_id
from ..runtime import Federation
from .importing import import_enterprise, known_ids
from .moves import find_move, last_arrival, move_by_id, open_move, set_move
from .placing import peers_to_follow, place_trade

UNDER_WAY = ("offered", "named", "accepted", "ready")
MOST_RENAMED = 5000  # ids: they must fit into one message
ANSWERS = "-/federation/moves"  # below it stands, for each move, the page for its future owner
_part = federation_move_part.c


def take_move_offer(federation: Federation, tx: Transaction, peer: Peer, offer: MoveOffer) -> None:
    """Stores an offer for the operator, replacing an earlier one of the same enterprise. Raises `Refuse`."""
    if local_id(peer.base, offer.enterprise, "enterprises") is None:
        raise Refuse("authority", "An instance offers enterprises of its own only.")
    refuse_old_epoch(tx, offer.enterprise, offer.epoch)
    existing = find_move(tx, "coming", UNDER_WAY, iri=offer.enterprise, peer_id=peer.id)
    if existing is not None:
        set_move(tx, existing, state="cancelled", error="it was offered anew")
    refuse_over_quota(tx, peer, federation_move, 1)
    columns = {"name": offer.name[:200], "old_iri": offer.enterprise, "epoch": offer.epoch}
    open_move(tx, "coming", "offered", peer_id=peer.id, said={"products": offer.products}, **columns)
    note_for_operators(tx, "enterprise_offered", peer.id, offer.name)


def name_owner(tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """Agrees, as the operator, and names the future owner, who decides. Raises `NotFound`, `Conflict`."""
    move = _incoming_move(tx, move_id, ("offered", "named"))
    person_by_id(tx, owner_id)
    return set_move(tx, move, state="named", owner_id=owner_id, error="")


def ask_owner(tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """Agrees, as `name_owner` does, and mails the person the page on which they answer."""
    move, owner = name_owner(tx, move_id, owner_id), person_by_id(tx, owner_id)
    to = Recipient(email=owner.email, name=owner.name, language=owner.language)
    mail_one(tx, to, "arriving", peer_by_id(tx, move.peer_id), f"{ANSWERS}/{move.id}", name=move.name)
    return move


def move_for(tx: Transaction, move_id: str, person_id: str) -> MoveRow:
    """The move of an enterprise whose future owner this person is. Raises `NotFound`, also for any other person."""
    move = move_by_id(tx, move_id, locked=False)
    if move.role != "coming" or move.owner_id != person_id:
        raise NotFound("no_move", "There is no such move.")
    return move


def decline_move(tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """Declines the enterprise, as the person named; the operator may name another. Raises `NotFound`, `Conflict`."""
    move_for(tx, move_id, owner_id)
    return set_move(tx, _incoming_move(tx, move_id, ("named",)), state="offered", owner_id=None, error="declined")


def accept_move(federation: Federation, tx: Transaction, move_id: str, owner_id: str) -> MoveRow:
    """Accepts the enterprise, as its future owner: the old home sends the export.

    Raises `NotFound`, also for any other person, and `Conflict`.
    """
    move = _incoming_move(tx, move_id, ("named",))
    if move.owner_id != owner_id:
        raise NotFound("no_move", "There is no such move.")
    post(federation, tx, move.peer_id, "MoveAccept", MoveAccept(enterprise=move.old_iri, accepted=True))
    return set_move(tx, move, state="accepted")


def refuse_move(federation: Federation, tx: Transaction, move_id: str) -> MoveRow:
    """Refuses the enterprise. Raises `NotFound`, `Conflict` once it has arrived."""
    move = _incoming_move(tx, move_id, UNDER_WAY)
    post(federation, tx, move.peer_id, "MoveAccept", MoveAccept(enterprise=move.old_iri, accepted=False))
    return set_move(tx, move, state="refused")


def take_move_cancel(tx: Transaction, peer: Peer, message: MoveCancel) -> None:
    """Cancels a move: the old home keeps the enterprise, and its export stays unused."""
    move = find_move(tx, "coming", UNDER_WAY, iri=message.enterprise, peer_id=peer.id)
    if move is not None:
        set_move(tx, move, state="cancelled")


def take_export_part(federation: Federation, tx: Transaction, peer: Peer, export: MoveExport) -> None:
    """Stores a part of the export. After the last one it rehearses the import, undoes it and reports readiness.

    Raises `Refuse` for an enterprise that nobody here has accepted, and the errors of the import.
    """
    move = find_move(tx, "coming", ("accepted",), iri=export.enterprise, peer_id=peer.id)
    if move is None:
        raise Refuse("no_move", "Nobody here has agreed to take that enterprise.")
    row = {"move_id": move.id, "part": export.part, "parts": export.parts, "rows": list(export.rows)}
    tx.execute(insert(federation_move_part), row)
    if tx.value(select(func.count()).where(_part.move_id == move.id)) < export.parts:
        return
    rows = imported_rows(tx, move)
    renamed = known_ids(tx, move.old_iri, rows)
    if len(renamed) > MOST_RENAMED:
        raise Refuse("too_many_copies", f"More than {MOST_RENAMED} of its things are copied here already.")
    id = _enterprise_id(rows)
    new_iri = enterprise_iri(federation.base, renamed.get(id, id))
    move = set_move(tx, move, new_iri=new_iri, said={**move.said, "renamed": renamed})
    _rehearse_import(federation, tx, move, peer, rows)
    set_move(tx, move, state="ready")
    body = MoveReady(enterprise=move.old_iri, moved_to=new_iri, renamed=renamed)
    post(federation, tx, peer.id, "MoveReady", body)


def complete_arrival(federation: Federation, tx: Transaction, peer: Peer, message: Move) -> bool:
    """Imports an enterprise that the old home has handed over. Returns False when none is expected.

    Raises `Refuse` for another move than the agreed one.
    """
    move = find_move(tx, "coming", ("ready",), iri=message.enterprise, peer_id=peer.id)
    if move is None:
        return False
    if (message.moved_to, message.epoch, dict(message.renamed)) != (move.new_iri, move.epoch, move.said["renamed"]):
        raise Refuse("other_move", "That is not the move that was agreed.")
    import_enterprise(federation, tx, move, peer, imported_rows(tx, move), message.apart)
    enterprise_id = local_id(federation.base, move.new_iri, "enterprises")
    set_move(tx, move, state="done", enterprise_id=enterprise_id)
    note_for_enterprise(tx, str(enterprise_id), "arrived", peer.id, move.id)
    return True


def take_followed(federation: Federation, tx: Transaction, peer: Peer, body: MoveFollowed) -> None:
    """Sets up the enterprise's trade with a peer that has followed. Raises `Refuse` for an unknown enterprise."""
    move = find_move(tx, "coming", ("done",), iri=body.enterprise)
    if move is None or move.new_iri != body.moved_to:
        raise Refuse("no_move", "That enterprise has not come here.")
    place_trade(federation, tx, move, peer, imported_rows(tx, move), body.apart)


def refuse_unfollowed(federation: Federation, tx: Transaction, enterprise_id: str, name: str) -> None:
    """Raises `Conflict` while active peers have not followed the enterprise here: what they hold of its goods is known
    to this instance only once they have, so the enterprise cannot take it along to a third one."""
    move = last_arrival(tx, enterprise_id)
    waiting = peers_to_follow(federation, tx, move, imported_rows(tx, move)) if move is not None else ()
    if waiting:
        text = "Not yet: {peers} must follow the last move of {name} first. Wait, or end the trade with them."
        raise Conflict("not_followed", text, name=name, peers=", ".join(peer.name for peer in waiting))


def imported_rows(tx: Transaction, move: MoveRow) -> Sequence[AnyRow]:
    """Returns all rows of the export. Raises `Unreadable`."""
    parts = tx.all(select(_part.rows).where(_part.move_id == move.id).order_by(_part.part))
    return [row for part in parts for row in read_rows(part["rows"])]


class _RehearsalDone(Exception):
    """Ends the rehearsal, so that its changes are rolled back."""


def _rehearse_import(
    federation: Federation, tx: Transaction, move: MoveRow, peer: Peer, rows: Sequence[AnyRow]
) -> None:
    try:
        with tx.attempt():
            import_enterprise(federation, tx, move, peer, rows)
            raise _RehearsalDone
    except _RehearsalDone:
        return


def _enterprise_id(rows: Sequence[AnyRow]) -> str:
    profiles = [row.id for row in rows if isinstance(row, EnterpriseRow)]
    if len(profiles) != 1:
        raise Refuse("export", "An export has one enterprise.")
    return profiles[0]


def _incoming_move(tx: Transaction, move_id: str, states: Sequence[str]) -> MoveRow:
    move = move_by_id(tx, move_id)
    if move.role != "coming":
        raise NotFound("no_move", "There is no such move.")
    if move.state not in states:
        raise Conflict("move_state", "This move is {state}.", state=move.state)
    return move
