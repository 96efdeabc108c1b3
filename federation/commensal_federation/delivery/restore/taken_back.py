"""Reads messages of our own that a peer has given back after a restore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from commensal import Transaction

from ...messages.envelope import Envelope
from ...messages.types import MessageType, Reading, Sent
from ...peers.values import Peer
from ...runtime import Federation
from ..outbox.failed import own_envelope
from ..tables import federation_outbox

_box = federation_outbox.c


def taken_back(federation: Federation, tx: Transaction, peer: Peer, type_name: str) -> Iterator[Sent[Any]]:
    """Yields our messages of this type to the peer, in the order in which they were posted."""
    message_type = federation.messages[type_name].type
    conditions = (_box.peer_id == peer.id, _box.type == type_name, _box.recovered)
    for row in tx.all(select(_box.body).where(*conditions).order_by(_box.epoch, _box.seq)):
        yield sent_of(federation, peer, message_type, own_envelope(row["body"]))


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
