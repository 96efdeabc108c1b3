"""MoveNotice: somebody moves an enterprise of the receiver's with its recovery key, and the sender waits until then."""

from __future__ import annotations

from ..signing import JsonObject
from ..signing.profile import write_moment
from .bodies.moving import MoveNotice
from .members import ENTERPRISE
from .reading import moment, text
from .types import MessageType, Reading, Writing


def write(body: MoveNotice, writing: Writing) -> dict[str, object]:
    return {
        "type": "MoveNotice",
        "enterprise": body.enterprise,
        "movedTo": body.moved_to,
        "until": write_moment(body.until),
    }


def read(document: JsonObject, reading: Reading) -> MoveNotice:
    return MoveNotice(
        enterprise=text(document, "enterprise"), moved_to=text(document, "movedTo"), until=moment(document, "until")
    )


MOVE_NOTICE = MessageType(
    name="MoveNotice",
    lane="order",
    scope=None,
    body=MoveNotice,
    write=write,
    read=read,
    foreign=True,
    members={"enterprise": ENTERPRISE, "movedTo": "where it is said to go", "until": "the sender waits until then"},
)
