"""A peer's side of a move by recovery key: for three days the old home, or the key's owner, may object.

During that time no more of the producer's goods are sold. Afterwards the goods are those of the new home, which has
counted its stock anew; leases from the old home are dropped, and people settle what customers have ordered.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from commensal import Transaction, clock_in_doubt
from commensal.parts.copies import forget_copies, lease_in, tell_beyond

from ..authority.authority import authority_of, refuse_old_epoch, set_authority
from ..catalogue.tables import federation_copy, federation_item
from ..delivery import post
from ..delivery.alerts import alert
from ..dfc.iris import local_id
from ..grants.sale_ends import set_sale_ends
from ..grants.tables import federation_grant, federation_lease, federation_mirror
from ..leases.row import lease_by_id
from ..messages.moving import Move, MoveContest, MoveFollowed, MoveNotice, MoveRow
from ..messages.types import Refuse
from ..peers.peers import Peer
from ..runtime import Federation
from ..transport import Unreachable
from .document import NoDocument, fetch_enterprise
from .moves import find_move, move_by_id, open_move, peer_at, set_move
from .recovering import home_peer, read_statement

QUARANTINE = timedelta(hours=72)  # the same time as did:plc
_mirror, _lease, _item = federation_mirror.c, federation_lease.c, federation_item.c
_grant, _copy = federation_grant.c, federation_copy.c


def take_statement(federation: Federation, tx: Transaction, peer: Peer, message: Move) -> None:
    """Begins the quarantine. Raises `Refuse` for a statement without a valid signature, or for a contested move."""
    if local_id(peer.base, message.moved_to, "enterprises") is None:
        raise Refuse("authority", "An enterprise is moved by its new home.")
    refuse_old_epoch(tx, message.enterprise, message.epoch)
    _refuse_unsigned(tx, message.enterprise, message.moved_to, message.statement or "", "MoveStatement", message.epoch)
    existing = find_move(tx, "following", ("quarantined", "contested"), iri=message.enterprise)
    if existing is not None:
        if existing.new_iri == message.moved_to and existing.state == "quarantined":
            return
        raise Refuse("contested", "Another move of that enterprise waits for people to decide.")
    mirror = tx.value(select(_mirror.enterprise_id).where(_mirror.iri == message.enterprise))
    until = tx.now + QUARANTINE
    open_move(
        tx,
        "following",
        "quarantined",
        peer_id=peer.id,
        name=message.enterprise[-200:],
        old_iri=message.enterprise,
        new_iri=message.moved_to,
        epoch=message.epoch,
        enterprise_id=mirror,
        until=until,
        said={"renamed": {}},
    )
    for lot_id in _lots_of(tx, mirror):
        tell_beyond(tx, lot_id, 0, tx.now)
    alert(tx, peer.id, "move", f"{message.enterprise} moves to {message.moved_to} by its recovery key, in three days.")
    home = home_peer(tx, message.enterprise)
    if home is not None:
        body = MoveNotice(enterprise=message.enterprise, moved_to=message.moved_to, until=until)
        post(federation, tx, home.id, "MoveNotice", body)


def take_contest(tx: Transaction, peer: Peer, message: MoveContest) -> None:
    """Marks a move as contested by the old home or the key, for people to decide. Raises `Refuse` for other senders."""
    if local_id(peer.base, message.enterprise, "enterprises") is None:
        _refuse_unsigned(tx, message.enterprise, message.moved_to, message.statement or "", "ContestStatement", None)
    move = find_move(tx, "following", ("quarantined",), iri=message.enterprise)
    if move is None or move.new_iri != message.moved_to:
        return
    set_move(tx, move, state="contested")
    conditions = (_lease.role == "holder", _lease.enterprise_id == move.enterprise_id)
    set_sale_ends(tx, [row["lot_id"] for row in tx.all(select(_lease.lot_id).where(*conditions))])
    alert(
        tx,
        peer.id,
        "move",
        f"That {message.enterprise} moves to {message.moved_to} is contested: talk to the producer.",
    )


def end_quarantine(federation: Federation, move: MoveRow, new: Peer) -> str:
    """Follows a move that nobody has contested, after checking the new home's document once more.

    Returns why the move cannot be followed yet; empty when it was.
    """
    try:
        document = fetch_enterprise(federation, new, move.new_iri)
    except (NoDocument, Unreachable) as error:
        return str(error)
    if move.old_iri not in document.also_known_as or document.epoch != move.epoch or document.moved_to:
        return "the new home's document does not say that it came from there"
    federation.instance.store.transact(lambda tx: _follow_new_home(federation, tx, move.id))
    return ""


def _follow_new_home(federation: Federation, tx: Transaction, move_id: str) -> None:
    move = move_by_id(tx, move_id)
    new = peer_at(tx, move.new_iri)
    if new is None or move.state != "quarantined" or move.until is None or move.until > tx.now or clock_in_doubt(tx):
        return
    if move.epoch <= authority_of(tx, move.old_iri).epoch:
        set_move(tx, move, state="refused", error="another move came first")
        return
    key = authority_of(tx, move.old_iri).recovery_key
    set_authority(tx, move.old_iri, epoch=move.epoch, moved_to=move.new_iri)
    set_authority(tx, move.new_iri, epoch=move.epoch, moved_to="", came_from=move.old_iri, recovery_key=key)
    if move.enterprise_id is not None:
        _drop_old_trade(tx, move.enterprise_id)
    tx.execute(update(federation_mirror).where(_mirror.iri == move.old_iri).values(iri=move.new_iri, peer_id=new.id))
    other_home = _grant.other_iri == move.old_iri
    tx.execute(update(federation_grant).where(other_home).values(other_iri=move.new_iri, peer_id=new.id))
    set_move(tx, move, state="followed", error="")
    body = MoveFollowed(enterprise=move.old_iri, moved_to=move.new_iri)
    post(federation, tx, new.id, "MoveFollowed", body)
    alert(
        tx, new.id, "move", f"{move.old_iri} lives at {move.new_iri} now. What was ordered of it is for you to settle."
    )


def _drop_old_trade(tx: Transaction, mirror: str) -> None:
    """Drops the leases and items of the old home; the new home sends its own."""
    conditions = (_lease.role == "holder", _lease.enterprise_id == mirror)
    lots = _lots_of(tx, mirror)
    products = [row["product_id"] for row in tx.all(select(_item.product_id).where(_item.lot_id.in_(lots)).distinct())]
    for row in tx.all(select(_lease.id).where(*conditions).order_by(_lease.id)):
        lease = lease_by_id(tx, row["id"])
        lease_in(tx, lease.row.lot_id, -lease.free, note="its home is gone")
    tx.execute(delete(federation_lease).where(*conditions))
    tx.execute(delete(federation_item).where(_item.lot_id.in_(lots)))
    tx.execute(delete(federation_copy).where(_copy.local_id.in_([*lots, *products])))
    forget_copies(tx, mirror, products)


def _lots_of(tx: Transaction, mirror: str | None) -> list[str]:
    conditions = (_lease.role == "holder", _lease.enterprise_id == mirror)
    return [row["lot_id"] for row in tx.all(select(_lease.lot_id).where(*conditions).order_by(_lease.lot_id))]


def _refuse_unsigned(tx: Transaction, old: str, new: str, statement: str, kind: str, epoch: int | None) -> None:
    signed = read_statement(statement, authority_of(tx, old).recovery_key, tx.now)
    if (signed.kind, signed.enterprise, signed.moved_to) != (kind, old, new) or epoch not in (None, signed.epoch):
        raise Refuse("recovery_key", "The recovery key has signed something else.")
