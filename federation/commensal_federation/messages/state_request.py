"""StateRequest: send all of it once more, for what differs, or for history that is not kept any longer."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class StateRequestBody:
    """room: whose things; name: the part of them, empty for all"""

    room: str
    name: str = ""


def write(body: StateRequestBody, writing: Writing) -> dict[str, object]:
    return {"type": "StateRequest", "room": body.room, "name": body.name}


def read(document: JsonObject, reading: Reading) -> StateRequestBody:
    return StateRequestBody(text(document, "room", 50), text(document, "name", least=0))


STATE_REQUEST = MessageType(
    name="StateRequest",
    lane="catalogue",
    scope=None,
    body=StateRequestBody,
    write=write,
    read=read,
    members={"room": "`catalogue`", "name": "as in the StateDigest; empty for all grants"},
)
