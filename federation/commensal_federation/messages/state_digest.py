"""StateDigest: what the receiver should have of the sender's things, summed up. Sent once a day."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class StateDigestBody:
    """room:   whose things these are
    name:   the part of them
    digest: SHA-256 summed by XOR, in hexadecimal
    """

    room: str
    name: str
    digest: str


def write(body: StateDigestBody, writing: Writing) -> dict[str, object]:
    return {"type": "StateDigest", "room": body.room, "name": body.name, "digest": body.digest}


def read(document: JsonObject, reading: Reading) -> StateDigestBody:
    return StateDigestBody(text(document, "room", 50), text(document, "name"), text(document, "digest", 64))


STATE_DIGEST = MessageType(
    name="StateDigest",
    lane="catalogue",
    scope=None,
    body=StateDigestBody,
    write=write,
    read=read,
    members={
        "room": "`catalogue`; there is no other",
        "name": "the grantor's address, a blank, the hub's address",
        "digest": "the sum over all items that are not withdrawn, see README.md",
    },
)
