"""RecoveryKey: the public half of the key by which a producer can move an enterprise without its home."""

from __future__ import annotations

from ..signing import JsonObject
from .bodies.moving import RecoveryKeyTold
from .reading import text
from .types import MessageType, Reading, Writing


def write(body: RecoveryKeyTold, writing: Writing) -> dict[str, object]:
    return {"type": "RecoveryKey", "enterprise": body.enterprise, "recoveryKey": body.key}


def read(document: JsonObject, reading: Reading) -> RecoveryKeyTold:
    return RecoveryKeyTold(enterprise=text(document, "enterprise"), key=text(document, "recoveryKey", 100))


RECOVERY_KEY = MessageType(
    name="RecoveryKey",
    lane="catalogue",
    scope=None,
    body=RecoveryKeyTold,
    write=write,
    read=read,
    members={"enterprise": "whose key it is", "recoveryKey": "its public half, a did:key"},
)
