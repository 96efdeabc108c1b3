"""StateRequest: send all of it once more, for what differs, or for history that is not kept any longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commensal import Transaction

from ..delivery.sync.states import MIRRORED
from ..peers.rate_windows import windows_of
from ..runtime import Federation
from .reading import text
from .types import MessageType, Reading, Received, Refuse, Writing

_MOST = 20  # in a minute, of one peer: a short question must not cost a long answer each time


@dataclass(frozen=True)
class StateRequestBody:
    """room: whose things; name: the part of them, empty for all"""

    room: str
    name: str = ""


def write(body: StateRequestBody, writing: Writing) -> dict[str, Any]:
    return {"type": "StateRequest", "room": body.room, "name": body.name}


def read(document: Mapping[str, Any], reading: Reading) -> StateRequestBody:
    return StateRequestBody(text(document, "room", 50), text(document, "name", least=0))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    room = MIRRORED.get(received.body.room)
    if room is None:
        raise Refuse("room", "There is no such state here.")
    if windows_of(federation.instance).add(f"state {received.peer.id}", tx.now)[0] > _MOST:
        raise Refuse("too_many", "It is asked for too often.")
    room.send(federation, tx, received.peer, received.body.name)


STATE_REQUEST = MessageType(
    name="StateRequest", lane="catalogue", scope=None, body=StateRequestBody, write=write, read=read, handle=handle
)
