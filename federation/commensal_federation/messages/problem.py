"""Problem: a message was understood, and what it asks cannot be done (RFC 9457 in spirit: a code, and a text)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commensal import Transaction

from ..delivery.outbox.failing import refused_by_peer
from ..runtime import Federation
from ..signing import Unreadable
from .types import MessageType, Reading, Received, Writing


@dataclass(frozen=True)
class ProblemBody:
    """Why the message that it answers has no effect: a stable code for programs, and English for operators.

    kept: it is stored there; else it was refused as it came, and may be taken when it comes once more
    """

    code: str
    text: str
    kept: bool = True


def write(body: ProblemBody, writing: Writing) -> dict[str, Any]:
    said = {"type": "Problem", "code": body.code, "text": body.text}
    return said if body.kept else {**said, "kept": False}


def read(document: Mapping[str, Any], reading: Reading) -> ProblemBody:
    code, text = document.get("code"), document.get("text")
    if not isinstance(code, str) or not isinstance(text, str) or len(code) > 100 or len(text) > 2000:
        raise Unreadable("problem", "a problem has a code and a text")
    return ProblemBody(code, text, kept=document.get("kept") is not False)


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    """The message that was refused is told to its own type."""
    if received.in_reply_to is not None:
        said = received.body
        refused_by_peer(federation, tx, received.peer, received.in_reply_to, said.code, said.text, kept=said.kept)


PROBLEM = MessageType(
    name="Problem", lane="peering", scope=None, body=ProblemBody, write=write, read=read, handle=handle
)
