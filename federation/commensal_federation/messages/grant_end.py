"""GrantEnd: the producer takes its grant back."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.catalogue import GrantEnd
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: GrantEnd, writing: Writing) -> dict[str, object]:
    return {"type": "GrantEnd", "grantor": body.grantor, "hub": body.hub}


def read(document: JsonObject, reading: Reading) -> GrantEnd:
    return GrantEnd(grantor=text(document, "grantor"), hub=text(document, "hub"))


GRANT_END = MessageType(
    name="GrantEnd",
    lane="catalogue",
    scope=None,
    body=GrantEnd,
    write=write,
    read=read,
    members={"grantor": "who ends it", "hub": "for whom"},
)
