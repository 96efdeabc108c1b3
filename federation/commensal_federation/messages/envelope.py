"""The envelope that every message travels in: who says what to whom, and its number in the lane.

    {"@context": ["https://commensal.example/ns/federation/v1"],
     "id": "https://hub-a.example/-/federation/messages/018f…", "type": "LeaseRequest",
     "actor": "https://hub-a.example/.well-known/commensal", "to": "https://hub-b.example/.well-known/commensal",
     "onBehalfOf": "https://hub-a.example/api/dfc/enterprises/42", "inReplyTo": "…",
     "lane": "order", "epoch": 1780000000, "seq": 118, "prev": "zQm…",
     "published": "2026-06-04T10:00:00Z", "expires": "2026-06-04T10:15:00Z",
     "object": {…a complete DFC document…}, "proof": {…eddsa-jcs-2022…}}

`prev` is the multihash of the message before it in its lane and epoch, and missing in the first. So two messages under
one number, or one that was taken back, show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from ..dfc.namespace import NAMESPACE
from ..signing import JsonObject, SigningKey, Unreadable, canonical_unchecked, sign
from ..signing.keys import to_multibase
from ..signing.profile import write_moment
from .members import moment
from .types import LANES, Lane
from .types import LARGEST as LARGEST

ENVELOPE_CONTEXT = NAMESPACE  # shipped as context.json
DFC_CONTEXT = "https://w3id.org/dfc/ontology/context/context_1.16.0.json"
CONTEXT: list[str] = [ENVELOPE_CONTEXT]
INSIDE: tuple[object, ...] = (DFC_CONTEXT, [DFC_CONTEXT, ENVELOPE_CONTEXT])  # that an object may have
_SHA2_256 = b"\x12\x20"  # multihash: the function, and the length of its digest
_LONGEST_IRI = 500
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What an envelope says, and what can be reckoned from its bytes."""

    id: str
    type: str
    actor: str
    to: str
    on_behalf_of: str | None
    in_reply_to: str | None
    lane: Lane
    epoch: int
    seq: int
    prev: str
    published: datetime
    expires: datetime | None
    object: JsonObject
    document: JsonObject
    body: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True)
class LanePlace:
    """A message's place in its lane. `prev` is empty for the first of an epoch."""

    lane: Lane
    epoch: int
    seq: int
    prev: str


def multihash(body: bytes) -> str:
    """The name of a message by its bytes, ``zQm…``: SHA2-256 as multiformats write it, in base58btc."""
    return to_multibase(_SHA2_256 + sha256(body).digest())


def write_envelope(
    *,
    id: str,
    type: str,
    actor: str,
    to: str,
    place: LanePlace,
    object: Mapping[str, object],
    key: SigningKey,
    now: datetime,
    on_behalf_of: str | None = None,
    in_reply_to: str | None = None,
    expires: datetime | None = None,
) -> bytes:
    """The signed bytes of a message. Raises `Unreadable` for an object beyond the profile."""
    members = {
        "@context": CONTEXT,
        "id": id,
        "type": type,
        "actor": actor,
        "to": to,
        "onBehalfOf": on_behalf_of,
        "inReplyTo": in_reply_to,
        "lane": place.lane,
        "epoch": place.epoch,
        "seq": place.seq,
        "prev": place.prev or None,
        "published": write_moment(now),
        "expires": None if expires is None else write_moment(expires),
        "object": object,
    }
    return canonical_unchecked(sign({name: value for name, value in members.items() if value is not None}, key, now))


def read_envelope(document: JsonObject, body: bytes) -> Envelope:
    """Reads what `read_json` gave of `body`. Whether it is true, the proof must show. Raises `Unreadable`."""
    held = document.get("object")
    if not isinstance(held, dict):
        raise Unreadable("object", "object must be a document")
    lane = _text(document, "lane")
    if lane not in LANES:
        raise Unreadable("lane", "lane must be peering, catalogue or order")
    return Envelope(
        id=_text(document, "id"),
        type=_text(document, "type"),
        actor=_text(document, "actor"),
        to=_text(document, "to"),
        on_behalf_of=_if_there(document, "onBehalfOf", _text),
        in_reply_to=_if_there(document, "inReplyTo", _text),
        lane=lane,
        epoch=_number(document, "epoch"),
        seq=_number(document, "seq"),
        prev=_if_there(document, "prev", _text) or "",
        published=moment(document, "published"),
        expires=_if_there(document, "expires", moment),
        object=held,
        document=document,
        body=body,
    )


def _if_there(document: JsonObject, name: str, read: Callable[[JsonObject, str], T]) -> T | None:
    return read(document, name) if name in document else None


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_IRI:
        raise Unreadable(name, f"{name} must be a text of at most {_LONGEST_IRI} characters")
    return value


def _number(document: JsonObject, name: str) -> int:
    value = document.get(name)
    if type(value) is not int or value < 1:
        raise Unreadable(name, f"{name} must be a whole number above 0")
    return value
