"""MoveFollowed: the sender deals with the new home from now on, and wants to hear what it has with it."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveFollowed
from .members import APART, ENTERPRISE, MOVED_TO
from .reading import id_list, text
from .types import MessageType, Reading, Writing


def write(body: MoveFollowed, writing: Writing) -> dict[str, object]:
    document: dict[str, object] = {"type": "MoveFollowed", "enterprise": body.enterprise, "movedTo": body.moved_to}
    return {**document, "apart": list(body.apart)} if body.apart else document


def read(document: JsonObject, reading: Reading) -> MoveFollowed:
    apart = id_list(document, "apart")
    return MoveFollowed(enterprise=text(document, "enterprise"), moved_to=text(document, "movedTo"), apart=apart)


MOVE_FOLLOWED = MessageType(
    name="MoveFollowed",
    lane="order",
    scope=None,
    body=MoveFollowed,
    write=write,
    read=read,
    foreign=True,
    members={"enterprise": ENTERPRISE, "movedTo": MOVED_TO, "apart": APART},
)
