"""MoveAccept: the operator and the future owner agree that the enterprise comes; or they do not (any more)."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveAccept
from .members import ENTERPRISE
from .reading import flag, text
from .types import MessageType, Reading, Writing


def write(body: MoveAccept, writing: Writing) -> dict[str, object]:
    return {"type": "MoveAccept", "enterprise": body.enterprise, "accepted": body.accepted}


def read(document: JsonObject, reading: Reading) -> MoveAccept:
    return MoveAccept(enterprise=text(document, "enterprise"), accepted=flag(document, "accepted"))


MOVE_ACCEPT = MessageType(
    name="MoveAccept",
    lane="order",
    scope=None,
    body=MoveAccept,
    write=write,
    read=read,
    foreign=True,
    members={"enterprise": ENTERPRISE, "accepted": "`false`: not, or not any more"},
)
