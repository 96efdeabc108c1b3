"""MoveContest: the old home, or the recovery key, says that a move is not so."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import MoveContest
from .members import ENTERPRISE
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: MoveContest, writing: Writing) -> dict[str, object]:
    document: dict[str, object] = {"type": "MoveContest", "enterprise": body.enterprise, "movedTo": body.moved_to}
    return document if body.statement is None else {**document, "statement": body.statement}


def read(document: JsonObject, reading: Reading) -> MoveContest:
    return MoveContest(
        enterprise=text(document, "enterprise"),
        moved_to=text(document, "movedTo"),
        statement=text(document, "statement", 5000) if "statement" in document else None,
    )


MOVE_CONTEST = MessageType(
    name="MoveContest",
    lane="order",
    scope=None,
    body=MoveContest,
    write=write,
    read=read,
    foreign=True,
    members={
        "enterprise": ENTERPRISE,
        "movedTo": "where it is said to go",
        "statement": "signed by the recovery key, as a text, where it is not the old home that says so",
    },
)
