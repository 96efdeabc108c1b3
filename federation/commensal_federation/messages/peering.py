"""What two instances say about their agreement to trade, about their keys, and about the exchange itself."""

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


# What is said about the exchange itself: problems, new epochs, comparisons of state.

Room = Meta(max_length=50)


@dataclass(frozen=True)
class EpochStart:
    """The sender was restored from a backup. It has fetched what it could of what it had said; its numbers
    begin anew."""

    epoch: Annotated[int, "the same as in the envelope: higher than any before"]


@dataclass(frozen=True)
class ProblemBody:
    """A message was understood, and what it asks cannot be done (RFC 9457 in spirit: a code, and a text)."""

    code: Annotated[
        str,
        Meta(min_length=0, max_length=100),
        "for programs; the message that it is about is `inReplyTo` of the envelope",
    ]
    text: Annotated[str, Meta(min_length=0, max_length=2000), "for operators, in English"]
    kept: Annotated[bool, "`false` where the message was not stored, so that it may come again; missing otherwise"] = (
        True
    )


@dataclass(frozen=True)
class StateDigest:
    """What the receiver should have of the sender's things, summed up. Sent once a day."""

    room: Annotated[str, Room, "`catalogue`; there is no other"]
    name: Annotated[str, "the grantor's address, a blank, the hub's address"]
    digest: Annotated[str, Meta(max_length=64), "the sum over all items that are not withdrawn, see README.md"]


@dataclass(frozen=True)
class StateRequest:
    """Send all of it once more, for what differs, or for history that is not kept any longer."""

    room: Annotated[str, Room, "`catalogue`"]
    name: Annotated[str, Meta(min_length=0), "as in the StateDigest; empty for all grants"]


EPOCH_START = declared(EpochStart, lane="peering", opens=True)
PROBLEM = declared(ProblemBody, name="Problem", lane="peering")
STATE_DIGEST = declared(StateDigest, lane="catalogue")
STATE_REQUEST = declared(StateRequest, lane="catalogue")
