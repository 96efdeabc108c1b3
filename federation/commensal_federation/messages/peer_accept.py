"""PeerAccept: the operator of the instance that was asked agrees. From now on both are peers."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text, texts
from .types import MessageType, Reading, Writing


@dataclass(frozen=True)
class PeerAcceptBody:
    """nonce:        of the request that is accepted
    scopes_given: what the asker may do here
    """

    nonce: str
    scopes_given: tuple[str, ...]


def write(body: PeerAcceptBody, writing: Writing) -> dict[str, object]:
    return {"type": "PeerAccept", "nonce": body.nonce, "scopesGiven": list(body.scopes_given)}


def read(document: JsonObject, reading: Reading) -> PeerAcceptBody:
    return PeerAcceptBody(text(document, "nonce", 64, least=22), texts(document, "scopesGiven"))


PEER_ACCEPT = MessageType(
    name="PeerAccept",
    lane="peering",
    scope=None,
    body=PeerAcceptBody,
    write=write,
    read=read,
    states=frozenset({"invited", "accepted"}),
    members={"nonce": "that of the request", "scopesGiven": "what the receiver may do at the sender's from now on"},
)
