"""After a restore from a backup: nothing goes out until each peer has given back what this instance had said since.

Its peers have the bytes, signed by its own key, so they need not be believed. Then messages count anew, in an epoch
that every peer is told of (EpochStart) before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update

from commensal import Transaction, enqueue

from ...grants.sale_ends import raise_barrier
from ...messages.envelope import Envelope
from ...messages.peering import EpochStart
from ...messages.types import MessageType, Reading, Sent
from ...peers.peers import Peer
from ...peers.tables import federation_peer
from ...runtime import Federation
from ..lanes import RECOVER, RECOVER_REST
from ..outbox.failed import own_envelope
from ..outbox.outbox import post
from ..tables import federation_epoch, federation_lane, federation_outbox
from .epochs import begin_epoch, current_epoch, had_epoch, past_epochs, restored_since

MARKER = "restored"  # a file that a restore leaves in the instance's folder, with the moment at which it was done


def notice_restore(federation: Federation) -> bool:
    """Starts a new epoch if the instance was restored and nobody has reported it. Called before anything is sent."""
    reason = _told_by_marker(federation.instance.folder)
    if not reason:
        return False
    with federation.instance.store.read() as tx:
        if had_epoch(tx, reason):
            return False
    return federation.instance.store.transact(lambda tx: restored(federation, tx, reason))


def notice_in(federation: Federation, tx: Transaction) -> None:
    """The same inside a transaction that is about to post: the peer has other messages under the next numbers of the
    old epoch."""
    reason = _told_by_marker(federation.instance.folder)
    if reason:
        restored(federation, tx, reason)


def restored(federation: Federation, tx: Transaction, reason: str) -> bool:
    """Begins a new epoch for this reason, once: False where it has begun. An instance that has never spoken needs none.

    What was posted before and has not gone out keeps its number, and goes out first. From now on nothing that travels
    is sold or lent until each peer has given back what it knows.
    """
    if had_epoch(tx, reason):
        return False
    if tx.first(select(federation_epoch.c.epoch).limit(1)) is None:
        begin_epoch(tx, reason)
        return False
    epoch = begin_epoch(tx, reason)
    lane = federation_lane.c
    anew = {"epoch": epoch, "seq": 0, "hash": "", "promised": False, "worked_until": None, "due_at": None}
    tx.execute(update(federation_lane).where(lane.direction == "out"), anew)
    idle = {"promised": False, "worked_until": None, "due_at": None}
    tx.execute(update(federation_lane).where(lane.direction == "in"), idle)
    peer_ids = _agreed(tx)
    raise_barrier(tx, peer_ids)
    for peer_id in peer_ids:
        held = update(federation_peer).where(federation_peer.c.id == peer_id)
        tx.execute(held, {"recovering": True})
        post(federation, tx, peer_id, "EpochStart", EpochStart(epoch))
        enqueue(tx, RECOVER, {"peer": peer_id})
    assert current_epoch(tx) == epoch
    return True


def recover_from(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Asks a new peer what it knows of this instance, if that was ever restored: it may have forgotten the peer.

    Nothing that the peer sends is taken before that. There is no barrier: what this instance has promised to a peer
    that it had forgotten, it has been selling since the restore.
    """
    if len(past_epochs(tx)) > 1 or _told_by_marker(federation.instance.folder):
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer_id), {"recovering": True})
        post(federation, tx, peer_id, "EpochStart", EpochStart(current_epoch(tx)))
        enqueue(tx, RECOVER, {"peer": peer_id})


def _agreed(tx: Transaction) -> list[str]:
    state = federation_peer.c.state
    statement = select(federation_peer.c.id).where(or_(state == "accepted", state == "suspended"))
    return [row["id"] for row in tx.all(statement.order_by(federation_peer.c.id))]


def _told_by_marker(folder: Path) -> str:
    try:
        return f"restored {(folder / MARKER).read_text(encoding='utf-8').strip()[:200]}"
    except FileNotFoundError:
        return ""


# Reads messages of our own that a peer has given back after a restore.

NAMED_WITHIN = timedelta(days=1)  # after a restore; goods of others wait for their producer's statement
_box = federation_outbox.c


def taken_back(federation: Federation, tx: Transaction, peer: Peer, type_name: str) -> Iterator[Sent[Any]]:
    """Yields our messages of this type to the peer, in the order in which they were posted."""
    message_type = federation.messages[type_name].type
    conditions = (_box.peer_id == peer.id, _box.type == type_name, _box.recovered)
    for row in tx.all(select(_box.body).where(*conditions).order_by(_box.epoch, _box.seq)):
        yield sent_of(federation, peer, message_type, own_envelope(row["body"]))


def recover_rest_soon(tx: Transaction, peer: Peer) -> None:
    """Called when something has come that messages of ours from before a restore may name; see `Handler.recover`."""
    if not restored_since(tx, tx.now - NAMED_WITHIN):
        return
    waiting = select(_box.id).where(_box.peer_id == peer.id, _box.recovered, _box.error != "").limit(1)
    if tx.first(waiting) is not None:
        enqueue(tx, RECOVER_REST, {"peer": peer.id})


def may_be_named_soon(tx: Transaction, peer: Peer) -> bool:
    """Whether what a message of the peer names may be unknown here only because of a restore: it waits for that."""
    return peer.recovering or restored_since(tx, tx.now - NAMED_WITHIN)


def sent_of(federation: Federation, peer: Peer, message_type: MessageType, envelope: Envelope) -> Sent[object]:
    return Sent(
        id=envelope.id,
        type=envelope.type,
        peer=peer,
        on_behalf_of=envelope.on_behalf_of,
        in_reply_to=envelope.in_reply_to,
        published=envelope.published,
        body=message_type.read(envelope.object, Reading(peer.base, federation.base)),
    )
