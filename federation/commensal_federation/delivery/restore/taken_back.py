"""Reads messages of our own that a peer has given back after a restore."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from commensal import Transaction, enqueue

from ...messages.envelope import Envelope
from ...messages.types import MessageType, Reading, Sent
from ...peers.values import Peer
from ...runtime import Federation
from ..lanes import RECOVER_REST
from ..outbox.failed import own_envelope
from ..tables import federation_outbox
from .epochs import restored_since

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
