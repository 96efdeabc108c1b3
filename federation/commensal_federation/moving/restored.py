"""The old home after a restore from a backup in which the enterprise still lives here.

Its peers give back the `Move` that it had signed, so it knows. It stops the enterprise's trade at once, as at a freeze.
What the backup has of the enterprise is older than what moved, so a person decides when the copy takes its place.
"""

from __future__ import annotations

from sqlalchemy import select

from commensal import Conflict, Transaction, enterprises_by_id

from ..authority.authority import set_authority
from ..delivery.alerts import alert
from ..delivery.restore.restored import taken_back
from ..delivery.sync.states import ask_state
from ..dfc.iris import local_id
from ..grants.tables import federation_lease, federation_mirror
from ..leases.holder import ask_again
from ..leases.restored import recover_report
from ..leases.row import lease_by_id
from ..messages.moving import Move, MoveReady, MoveRow
from ..messages.types import Sent
from ..runtime import Federation
from .moves import find_move, move_by_id, open_move, peer_at, set_move
from .old_home import become_copy, take_off_sale

_KNOWN = ("frozen", "moved")  # states of a move that is stopped here already, or over


def recover_hand_over(federation: Federation, tx: Transaction, sent: Sent[Move]) -> None:
    """Restores the authority of a new home to which this instance has handed over an enterprise.

    Takes the goods that the backup has off sale, and alerts a person. A move that the backup has as frozen is only
    handed over again, by the new home's `MoveReady`.
    """
    message = sent.body
    id = local_id(federation.base, message.enterprise, "enterprises")
    if id is None or message.statement is not None:
        return
    set_authority(tx, message.enterprise, epoch=message.epoch, moved_to=message.moved_to)
    set_authority(tx, message.moved_to, epoch=message.epoch, came_from=message.enterprise)
    enterprise = enterprises_by_id(tx, [id]).get(id)
    copied = select(federation_mirror.c.iri).where(federation_mirror.c.enterprise_id == id)
    known = find_move(tx, "leaving", _KNOWN, iri=message.enterprise)
    if enterprise is None or tx.first(copied) is not None or (known is not None and known.epoch >= message.epoch):
        return
    new_home = peer_at(tx, message.moved_to) or sent.peer
    move = find_move(tx, "leaving", ("offered",), iri=message.enterprise) or open_move(
        tx,
        "leaving",
        "offered",
        peer_id=new_home.id,
        name=enterprise.name,
        old_iri=message.enterprise,
        epoch=message.epoch,
        enterprise_id=id,
    )
    frozen = take_off_sale(tx, id)
    set_move(
        tx,
        move,
        state="frozen",
        peer_id=new_home.id,
        epoch=message.epoch,
        new_iri=message.moved_to,
        said={**frozen.said, "renamed": dict(message.renamed)},
    )
    text = f"{enterprise.name} had moved to {message.moved_to} before the restore. Complete the move {move.id}."
    alert(tx, new_home.id, "moved_before", text)


def complete_hand_over(federation: Federation, tx: Transaction, move_id: str) -> MoveRow:
    """Makes an enterprise that had moved before a restore a copy of the one at its new home, as a person decides.

    The stock that is reserved here is leased from there, by the counts that this instance had reported. Raises
    `NotFound`, and `Conflict` for another move, and before the new home has answered after the restore.
    """
    move = move_by_id(tx, move_id)
    if move.role != "leaving" or move.state != "frozen" or not move.new_iri:
        raise Conflict("move_state", "This move is {state}.", state=move.state)
    new_home = peer_at(tx, move.new_iri)
    if new_home is None or not new_home.active or new_home.recovering:
        text = "Not yet: {address} must be a partner instance, and answer after the restore."
        raise Conflict("new_home", text, address=move.new_iri)
    ready = MoveReady(enterprise=move.old_iri, moved_to=move.new_iri, renamed=move.said["renamed"])
    become_copy(tx, move, new_home, ready)
    for sent in {sent.body.lot: sent for sent in taken_back(federation, tx, new_home, "LeaseReport")}.values():
        recover_report(federation, tx, sent)
    lease = federation_lease.c
    held = (lease.role == "holder", lease.enterprise_id == move.enterprise_id)
    for row in tx.all(select(lease.id).where(*held).order_by(lease.id)):
        ask_again(federation, tx, lease_by_id(tx, row["id"]))
    ask_state(federation, tx, new_home, "catalogue")
    return set_move(tx, move, state="moved", said={})
