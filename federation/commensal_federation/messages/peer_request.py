"""PeerRequest: an operator asks another instance to trade. The one message that is taken from strangers."""

from __future__ import annotations

from dataclasses import dataclass

from ..signing import JsonObject
from .reading import text, texts
from .types import MessageType, Reading, Writing

LARGEST = 16 * 1024  # bytes of the envelope
_DOCUMENT = 12 * 1024


@dataclass(frozen=True)
class PeerRequestBody:
    """document:      the asker's instance document, as it serves it
    nonce:         which the acceptance must echo
    scopes_given:  what the asker will let the other do
    scopes_wanted: what it would like to do there; the other's operator decides
    """

    document: str
    nonce: str
    scopes_given: tuple[str, ...]
    scopes_wanted: tuple[str, ...]


def write(body: PeerRequestBody, writing: Writing) -> dict[str, object]:
    return {
        "type": "PeerRequest",
        "document": body.document,
        "nonce": body.nonce,
        "scopesGiven": list(body.scopes_given),
        "scopesWanted": list(body.scopes_wanted),
    }


def read(document: JsonObject, reading: Reading) -> PeerRequestBody:
    return PeerRequestBody(
        text(document, "document", _DOCUMENT),
        text(document, "nonce", 64, least=22),
        texts(document, "scopesGiven"),
        texts(document, "scopesWanted"),
    )


PEER_REQUEST = MessageType(
    name="PeerRequest",
    lane="peering",
    scope=None,
    body=PeerRequestBody,
    write=write,
    read=read,
    states=frozenset({"requested", "invited", "accepted", "suspended"}),
    opens=True,
    largest=LARGEST,
    members={
        "document": "the sender's instance document as a text of at most 12 KiB, formatted in any way",
        "nonce": "128 random bits as 22 to 64 characters; the acceptance repeats it",
        "scopesGiven": "what the receiver may do at the sender's, once it agrees",
        "scopesWanted": "what the sender would like to do at the receiver's; its operator decides",
    },
)
