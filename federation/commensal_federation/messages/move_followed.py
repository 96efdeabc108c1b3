"""MoveFollowed: the sender deals with the new home from now on, and wants to hear what it has with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .bodies.moving import MoveFollowed
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: MoveFollowed, writing: Writing) -> dict[str, Any]:
    return {"type": "MoveFollowed", "enterprise": body.enterprise, "movedTo": body.moved_to}


def read(document: Mapping[str, Any], reading: Reading) -> MoveFollowed:
    return MoveFollowed(enterprise=text(document, "enterprise"), moved_to=text(document, "movedTo"))


MOVE_FOLLOWED = MessageType(
    name="MoveFollowed", lane="order", scope=None, body=MoveFollowed, write=write, read=read, foreign=True
)
