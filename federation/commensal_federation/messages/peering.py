"""What two instances say about their agreement to trade, and about their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from .members import declared

LARGEST = 16 * 1024  # bytes of the envelope of a request, which comes from strangers
Nonce = Meta(min_length=22, max_length=64)


@dataclass(frozen=True)
class PeerRequest:
    """An operator asks another instance to trade. The one message that is taken from strangers."""

    document: Annotated[
        str,
        Meta(max_length=12 * 1024),
        "the sender's instance document as a text of at most 12 KiB, formatted in any way",
    ]
    nonce: Annotated[str, Nonce, "128 random bits as 22 to 64 characters; the acceptance repeats it"]
    scopes_given: Annotated[tuple[str, ...], "what the receiver may do at the sender's, once it agrees"]
    scopes_wanted: Annotated[
        tuple[str, ...], "what the sender would like to do at the receiver's; its operator decides"
    ]


@dataclass(frozen=True)
class PeerAccept:
    """The operator of the instance that was asked agrees. From now on both are peers."""

    nonce: Annotated[str, Nonce, "that of the request"]
    scopes_given: Annotated[tuple[str, ...], "what the receiver may do at the sender's from now on"]


@dataclass(frozen=True)
class ScopesChanged:
    """What the receiver may do at the sender's from now on."""

    scopes_given: Annotated[tuple[str, ...], "all that it may do; what is not listed ends"]


@dataclass(frozen=True)
class PeerRevoke:
    """An operator has ended it. Nothing of the sender's is taken any more, nor anything sent to it."""

    text: Annotated[str, Meta(min_length=0), "for people"]


@dataclass(frozen=True)
class KeyUpdate:
    """The sender's instance document has changed. It comes along, and nothing is fetched."""

    document: Annotated[str, Meta(max_length=64 * 1024), "the new instance document as a text of at most 64 KiB"]


PEER_REQUEST = declared(
    PeerRequest,
    lane="peering",
    states=frozenset({"requested", "invited", "accepted", "suspended"}),
    opens=True,
    largest=LARGEST,
)
PEER_ACCEPT = declared(PeerAccept, lane="peering", states=frozenset({"invited", "accepted"}))
SCOPES_CHANGED = declared(ScopesChanged, lane="peering")
PEER_REVOKE = declared(PeerRevoke, lane="peering", states=frozenset({"invited", "requested", "accepted", "suspended"}))
KEY_UPDATE = declared(KeyUpdate, lane="peering")
