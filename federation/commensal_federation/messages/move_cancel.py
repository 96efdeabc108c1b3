"""MoveCancel: the enterprise stays where it is."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveCancel
from .members import ENTERPRISE
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: MoveCancel, writing: Writing) -> dict[str, object]:
    return {"type": "MoveCancel", "enterprise": body.enterprise}


def read(document: JsonObject, reading: Reading) -> MoveCancel:
    return MoveCancel(enterprise=text(document, "enterprise"))


MOVE_CANCEL = MessageType(
    name="MoveCancel",
    lane="order",
    scope=None,
    body=MoveCancel,
    write=write,
    read=read,
    members={"enterprise": ENTERPRISE},
)
