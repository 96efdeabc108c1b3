"""GrantAnswer: the hub takes a grant, and is told the whole catalogue; or it does not want it (any more)."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.catalogue import GrantAnswer
from .reading import flag, text
from .types import MessageType, Reading, Writing


def write(body: GrantAnswer, writing: Writing) -> dict[str, object]:
    document = {"type": "GrantAnswer", "grantor": body.grantor, "hub": body.hub, "accepted": body.accepted}
    return document if body.offer is None else {**document, "offer": body.offer}


def read(document: JsonObject, reading: Reading) -> GrantAnswer:
    return GrantAnswer(
        grantor=text(document, "grantor"),
        hub=text(document, "hub"),
        accepted=flag(document, "accepted"),
        offer=text(document, "offer") if "offer" in document else None,
    )


GRANT_ANSWER = MessageType(
    name="GrantAnswer",
    lane="catalogue",
    scope="catalogue.read",
    body=GrantAnswer,
    write=write,
    read=read,
    foreign=True,
    members={
        "grantor": "who offered",
        "hub": "to whom",
        "accepted": "`false` ends a grant that was accepted before, too",
        "offer": "the id of the `GrantOffer` that it answers; the answer to an older offer changes nothing",
    },
)
