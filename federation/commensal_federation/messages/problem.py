"""Problem: a message was understood, and what it asks cannot be done (RFC 9457 in spirit: a code, and a text)."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject, Unreadable
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class ProblemBody:
    """Why the message that it answers has no effect: a stable code for programs, and English for operators.

    kept: it is stored there; else it was refused as it came, and may be taken when it comes once more
    """

    code: str
    text: str
    kept: bool = True


def write(body: ProblemBody, writing: Writing) -> dict[str, object]:
    document: dict[str, object] = {"type": "Problem", "code": body.code, "text": body.text}
    return document if body.kept else {**document, "kept": False}


def read(document: JsonObject, reading: Reading) -> ProblemBody:
    code, text = document.get("code"), document.get("text")
    if not isinstance(code, str) or not isinstance(text, str) or len(code) > 100 or len(text) > 2000:
        raise Unreadable("problem", "a problem has a code and a text")
    return ProblemBody(code, text, kept=document.get("kept") is not False)


PROBLEM = MessageType(
    name="Problem",
    lane="peering",
    scope=None,
    body=ProblemBody,
    write=write,
    read=read,
    members={
        "code": "for programs; the message that it is about is `inReplyTo` of the envelope",
        "text": "for operators, in English",
        "kept": "`false` where the message was not stored, so that it may come again; missing otherwise",
    },
)
