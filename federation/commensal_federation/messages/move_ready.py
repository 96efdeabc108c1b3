"""MoveReady: the import would succeed; from the old home's `Move` on the enterprise lives at the sender's."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveReady
from .members import ENTERPRISE, MOVED_TO, RENAMED
from .reading import ids, text
from .types import MessageType, Reading, Writing


def write(body: MoveReady, writing: Writing) -> dict[str, object]:
    return {"type": "MoveReady", "enterprise": body.enterprise, "movedTo": body.moved_to, "renamed": dict(body.renamed)}


def read(document: JsonObject, reading: Reading) -> MoveReady:
    return MoveReady(
        enterprise=text(document, "enterprise"), moved_to=text(document, "movedTo"), renamed=ids(document, "renamed")
    )


MOVE_READY = MessageType(
    name="MoveReady",
    lane="order",
    scope=None,
    body=MoveReady,
    write=write,
    read=read,
    foreign=True,
    members={"enterprise": ENTERPRISE, "movedTo": MOVED_TO, "renamed": RENAMED},
)
