"""What is said about the exchange itself: problems, new epochs, comparisons of state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from .members import declared

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
