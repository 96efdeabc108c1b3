"""GrantAnswer: the hub takes a grant, and is told the whole catalogue; or it does not want it (any more)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal import Transaction

from ..catalogue.grantor import send_catalogue
from ..catalogue.grants import take_grant_answer
from ..catalogue.restored import recover_answer
from ..moving.recovering import send_recovery_key
from ..runtime import Federation
from .bodies.catalogue import GrantAnswer
from .reading import flag, text
from .types import MessageType, Reading, Received, Writing


def write(body: GrantAnswer, writing: Writing) -> dict[str, Any]:
    return {"type": "GrantAnswer", "grantor": body.grantor, "hub": body.hub, "accepted": body.accepted}


def read(document: Mapping[str, Any], reading: Reading) -> GrantAnswer:
    return GrantAnswer(
        grantor=text(document, "grantor"), hub=text(document, "hub"), accepted=flag(document, "accepted")
    )


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    grant = take_grant_answer(federation, tx, received.peer, received.body)
    if grant is not None and grant.state == "accepted":
        send_catalogue(federation, tx, grant, again=True)
        send_recovery_key(federation, tx, received.peer.id, grant.enterprise_id)


GRANT_ANSWER = MessageType(
    name="GrantAnswer", lane="catalogue", scope="catalogue.read", body=GrantAnswer, write=write, read=read,
    handle=handle, recover=recover_answer, foreign=True,
)  # fmt: skip
