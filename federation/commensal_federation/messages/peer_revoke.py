"""PeerRevoke: an operator has ended it. Nothing of the sender's is taken any more, nor anything sent to it."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class PeerRevokeBody:
    """reason: for the other's operator, in their own words; may be empty"""

    reason: str = ""


def write(body: PeerRevokeBody, writing: Writing) -> dict[str, object]:
    return {"type": "PeerRevoke", "text": body.reason}


def read(document: JsonObject, reading: Reading) -> PeerRevokeBody:
    return PeerRevokeBody(text(document, "text", least=0))


PEER_REVOKE = MessageType(
    name="PeerRevoke",
    lane="peering",
    scope=None,
    body=PeerRevokeBody,
    write=write,
    read=read,
    states=frozenset({"invited", "requested", "accepted", "suspended"}),
    members={"text": "for people"},
)
