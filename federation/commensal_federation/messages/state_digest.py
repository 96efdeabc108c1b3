"""StateDigest: what the receiver should have of the sender's things, summed up. Sent once a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commensal import Transaction

from ..delivery.outbox.outbox import post
from ..delivery.sync.states import MIRRORED
from ..runtime import Federation
from .reading import text
from .state_request import StateRequestBody
from .types import MessageType, Reading, Received, Writing


@dataclass(frozen=True)
class StateDigestBody:
    """room:   whose things these are
    name:   the part of them
    digest: SHA-256 summed by XOR, in hexadecimal
    """

    room: str
    name: str
    digest: str


def write(body: StateDigestBody, writing: Writing) -> dict[str, Any]:
    return {"type": "StateDigest", "room": body.room, "name": body.name, "digest": body.digest}


def read(document: Mapping[str, Any], reading: Reading) -> StateDigestBody:
    return StateDigestBody(text(document, "room", 50), text(document, "name"), text(document, "digest", 64))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    """What differs is asked for as a whole, and heals."""
    body: StateDigestBody = received.body
    room = MIRRORED.get(body.room)
    if room is not None and room.seen(federation, tx, received.peer, body.name) != body.digest:
        wanted = StateRequestBody(body.room, body.name)
        post(federation, tx, received.peer.id, "StateRequest", wanted, in_reply_to=received.id)


STATE_DIGEST = MessageType(
    name="StateDigest", lane="catalogue", scope=None, body=StateDigestBody, write=write, read=read, handle=handle
)
