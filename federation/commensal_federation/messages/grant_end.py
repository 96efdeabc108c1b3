"""GrantEnd: the producer takes its grant back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..catalogue.grants import grant_ended
from ..catalogue.restored import end_given_back
from ..runtime import Federation
from .bodies.catalogue import GrantEnd
from .reading import text
from .types import MessageType, Reading, Received, Writing


def write(body: GrantEnd, writing: Writing) -> dict[str, Any]:
    return {"type": "GrantEnd", "grantor": body.grantor, "hub": body.hub}


def read(document: Mapping[str, Any], reading: Reading) -> GrantEnd:
    return GrantEnd(grantor=text(document, "grantor"), hub=text(document, "hub"))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    grant_ended(federation, tx, received.peer, received.body)


GRANT_END = MessageType(
    name="GrantEnd", lane="catalogue", scope=None, body=GrantEnd, write=write, read=read, handle=handle,
    recover=end_given_back,
)  # fmt: skip
