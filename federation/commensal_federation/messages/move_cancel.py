"""MoveCancel: the enterprise stays where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..moving.new_home import take_move_cancel
from ..runtime import Federation
from .bodies.moving import MoveCancel
from .reading import text
from .types import MessageType, Reading, Received, Writing


def write(body: MoveCancel, writing: Writing) -> dict[str, Any]:
    return {"type": "MoveCancel", "enterprise": body.enterprise}


def read(document: Mapping[str, Any], reading: Reading) -> MoveCancel:
    return MoveCancel(enterprise=text(document, "enterprise"))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    take_move_cancel(tx, received.peer, received.body)


MOVE_CANCEL = MessageType(
    name="MoveCancel", lane="order", scope=None, body=MoveCancel, write=write, read=read, handle=handle,
)  # fmt: skip
