"""From the bytes of a message to what is proven of it. Nothing here touches the database.

In this order, the cheap before the dear: size, JSON of the profile, what the envelope says, whose it is, to whom, the
proof, and last what its object means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...dfc.findings import UnreadableDocument
from ...messages.envelope import CONTEXT, INSIDE, LARGEST, Envelope, read_envelope
from ...messages.types import MessageType, Reading
from ...peers.peers import Peer, pinned_keys
from ...runtime import Binding, Federation
from ...signing import BadProof, PublicKey, Unreadable, canonical_unchecked, read_json, verify
from ...signing.proof import origin
from ..plugin_code import read_body
from ..values import Receipt

SKEW = timedelta(seconds=60)


class NotTaken(Exception):
    """Why a message is not stored. `envelope` is set if the peer has signed the message nevertheless."""

    def __init__(self, receipt: Receipt, envelope: Envelope | None = None) -> None:
        super().__init__(f"{receipt.status} {receipt.code}")
        self.receipt, self.envelope = receipt, envelope


@dataclass(frozen=True)
class Checked:
    """A message with a valid signature, of a type that this instance knows, with its body.

    `replaced`: a later one of the same subject has come together with it; see `MessageType.subject`.
    """

    envelope: Envelope
    binding: Binding
    body: Any
    key: PublicKey
    replaced: bool = False


def check(federation: Federation, peer: Peer, body: bytes, now: datetime) -> Checked:
    """Verifies a message. Raises `NotTaken`."""
    envelope = _envelope(body)
    refuse_other_places(federation, peer.iri, envelope, now)
    key = prove(envelope, pinned_keys(peer), now)
    binding = federation.messages.get(envelope.type)
    if binding is None or binding.type.lane != envelope.lane:
        raise NotTaken(Receipt(422, envelope.id, "type", f"{envelope.type} is not spoken here"), envelope)
    if len(envelope.body) > binding.type.largest:
        text = f"{envelope.type} has at most {binding.type.largest} bytes"
        raise NotTaken(Receipt(413, envelope.id, "too_large", text), envelope)
    refuse_foreign_object(binding.type, envelope)
    return Checked(
        envelope, binding, read_object(federation, binding, envelope, Reading(federation.base, peer.base)), key
    )


def _envelope(body: bytes) -> Envelope:
    try:
        return read_envelope(read_json(body, LARGEST), body)
    except Unreadable as error:
        raise NotTaken(Receipt(413 if error.code == "too_large" else 422, "", error.code, error.text)) from error


def refuse_other_places(federation: Federation, caller: str, envelope: Envelope, now: datetime) -> None:
    """Refuses a message that is not from the caller, under an id of its own, to this instance. Raises `NotTaken`."""
    if envelope.actor != caller:
        raise NotTaken(Receipt(403, envelope.id, "actor", "actor is not the peer whose message this is"))
    if envelope.to != federation.iri:
        raise NotTaken(Receipt(403, envelope.id, "to", "this message is for somebody else"))
    if origin(envelope.id) != origin(envelope.actor):
        raise NotTaken(Receipt(403, envelope.id, "id", "id is not of the actor's host"))
    if envelope.on_behalf_of is not None and origin(envelope.on_behalf_of) != origin(envelope.actor):
        raise NotTaken(Receipt(403, envelope.id, "on_behalf_of", "onBehalfOf is not of the actor's host"))
    if envelope.published > now + SKEW:
        raise NotTaken(Receipt(425, envelope.id, "future", "published in the future"))  # a clock is wrong, for now


def prove(envelope: Envelope, keys: Mapping[str, PublicKey], now: datetime) -> PublicKey:
    """Returns the key that signed the message. Raises `NotTaken`, also for a proof inside its object, which would prove
    nothing."""
    try:
        key_id = verify(envelope.document, keys, now, context=CONTEXT, inside=INSIDE)
        if b'"proof":' in canonical_unchecked(envelope.object):
            raise BadProof("embedded", "the object holds a proof of its own")
    except (BadProof, Unreadable) as error:
        # A key that is not known yet may be told soon, and a clock set right; all else stays wrong.
        status = 425 if error.code in ("unknown_key", "future") else 422
        raise NotTaken(Receipt(status, envelope.id, error.code, error.text)) from error
    return keys[key_id]


def refuse_foreign_object(message_type: MessageType, envelope: Envelope) -> None:
    """Refuses an object for which the sender is not an authority; some types are about things of others.

    Raises `NotTaken`.
    """
    named = envelope.object.get("@id")
    if named is not None and not message_type.foreign and origin(str(named)) != origin(envelope.actor):
        text = "the object is not of the actor's host"
        raise NotTaken(Receipt(403, envelope.id, "object", text), envelope)


def read_object(federation: Federation, binding: Binding, envelope: Envelope, reading: Reading) -> object:
    """Reads the body. Raises `NotTaken` for any fault in it, since a batch has other messages."""
    try:
        return read_body(federation, binding, envelope.object, reading)
    except (Unreadable, UnreadableDocument) as error:
        raise NotTaken(Receipt(422, envelope.id, error.code, error.text), envelope) from error
