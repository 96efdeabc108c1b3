"""Move: the enterprise lives elsewhere now. Its old home says so, or the producer with the recovery key."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import Move
from .members import APART, ENTERPRISE, MOVED_TO, RENAMED
from .reading import id_list, ids, number, text
from .types import MessageType, Reading, Writing


def write(body: Move, writing: Writing) -> dict[str, object]:
    document: dict[str, object] = {
        "type": "Move",
        "enterprise": body.enterprise,
        "movedTo": body.moved_to,
        "authorityEpoch": body.epoch,
        "renamed": dict(body.renamed),
    }
    if body.apart:
        document["apart"] = list(body.apart)
    return document if body.statement is None else {**document, "statement": body.statement}


def read(document: JsonObject, reading: Reading) -> Move:
    return Move(
        enterprise=text(document, "enterprise"),
        moved_to=text(document, "movedTo"),
        epoch=number(document, "authorityEpoch"),
        renamed=ids(document, "renamed"),
        statement=text(document, "statement", 5000) if "statement" in document else None,
        apart=id_list(document, "apart"),
    )


MOVE = MessageType(
    name="Move",
    lane="order",
    scope=None,
    body=Move,
    write=write,
    read=read,
    foreign=True,
    members={
        "enterprise": ENTERPRISE,
        "movedTo": MOVED_TO,
        "authorityEpoch": "higher than any before",
        "renamed": RENAMED,
        "apart": f"{APART}; where hubs of the old home have one",
        "statement": "signed by the recovery key, as a text, where the old home does not say so itself",
    },
)
