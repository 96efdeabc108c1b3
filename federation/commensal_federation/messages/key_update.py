"""KeyUpdate: the sender's instance document has changed. It comes along, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commensal import Transaction

from ..peers.repinning import repin
from ..runtime import Federation
from .reading import text
from .types import MessageType, Reading, Received, Refuse, Writing

_DOCUMENT = 64 * 1024


@dataclass(frozen=True)
class KeyUpdateBody:
    """document: the sender's instance document, as it serves it"""

    document: str


def write(body: KeyUpdateBody, writing: Writing) -> dict[str, Any]:
    return {"type": "KeyUpdate", "document": body.document}


def read(document: Mapping[str, Any], reading: Reading) -> KeyUpdateBody:
    return KeyUpdateBody(text(document, "document", _DOCUMENT))


def handle(federation: Federation, tx: Transaction, received: Received) -> None:
    """Only what the pinned root key has signed takes the place of what is pinned."""
    if not repin(tx, received.peer, received.body.document):
        raise Refuse("document", "The document does not follow the one that is pinned.")


KEY_UPDATE = MessageType(
    name="KeyUpdate", lane="peering", scope=None, body=KeyUpdateBody, write=write, read=read, handle=handle
)
