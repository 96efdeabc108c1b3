"""KeyUpdate: the sender's instance document has changed. It comes along, and nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text
from .types import MessageType, Reading, Writing

_DOCUMENT = 64 * 1024


@dataclass(frozen=True)
class KeyUpdateBody:
    """document: the sender's instance document, as it serves it"""

    document: str


def write(body: KeyUpdateBody, writing: Writing) -> dict[str, object]:
    return {"type": "KeyUpdate", "document": body.document}


def read(document: JsonObject, reading: Reading) -> KeyUpdateBody:
    return KeyUpdateBody(text(document, "document", _DOCUMENT))


KEY_UPDATE = MessageType(
    name="KeyUpdate",
    lane="peering",
    scope=None,
    body=KeyUpdateBody,
    write=write,
    read=read,
    members={"document": "the new instance document as a text of at most 64 KiB"},
)
