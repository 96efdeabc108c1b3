"""GrantEnd: the producer takes its grant back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..catalogue.grants import take_grant_end
from ..catalogue.restored import recover_end
from ..runtime import Federation
from .bodies.catalogue import GrantEnd
from .reading import text
from .types import MessageType, Reading, Received, Writing


def write(body: GrantEnd, writing: Writing) -> dict[str, Any]:
    return {"type": "GrantEnd", "grantor": body.grantor, "hub": body.hub}


def read(document: Mapping[str, Any], reading: Reading) -> GrantEnd:
    return GrantEnd(grantor=text(document, "grantor"), hub=text(document, "hub"))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    take_grant_end(federation, tx, received.peer, received.body)


GRANT_END = MessageType(
    name="GrantEnd", lane="catalogue", scope=None, body=GrantEnd, write=write, read=read, handle=handle,
    recover=recover_end,
)  # fmt: skip
