"""The state behind the messages: compared once a day, and sent as a whole if it differs or the history is gone.

A room that mirrors things at peers registers how it computes its digest and how it sends its state. Both travel as
messages of the room's own lane, so a comparison comes after everything that it compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from commensal import Transaction

from ...messages.peering import StateRequest
from ...messages.types import Lane
from ...peers.peers import Peer
from ...runtime import Federation
from ..outbox.outbox import post


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """name:    of the room
    lane:    in which its messages travel
    digests: of what this peer should have of ours, by the IRI of an enterprise or whatever the room divides it by
    seen:    the digest of what we have of the peer's; empty for nothing
    send:    posts all of it that the peer may have, as ordinary messages; an empty name means everything
    """

    name: str
    lane: Lane
    digests: Callable[[Federation, Transaction, Peer], Mapping[str, str]]
    seen: Callable[[Federation, Transaction, Peer, str], str]
    send: Callable[[Federation, Transaction, Peer, str], None]


MIRRORED: dict[str, Mirrored] = {}


def register_mirrored(room: Mirrored) -> None:
    """Registers a room; called once, when its module is imported."""
    MIRRORED[room.name] = room


def state_digest(facts: Iterable[str]) -> str:
    """Returns a digest that is the same for the same facts in any order: XOR of their SHA-256, in hexadecimal
    (FEP-8fcf).

    Each fact must name its thing, or two equal facts would cancel each other out.
    """
    summed = 0
    for fact in facts:
        summed ^= int.from_bytes(sha256(fact.encode()).digest())
    return f"{summed:064x}"


# Asks a peer for the whole state behind a lane whose history it does not keep any more.


def ask_state(federation: Federation, tx: Transaction, peer: Peer, lane: str) -> None:
    """Posts a StateRequest for each room whose messages travel in this lane."""
    for room in MIRRORED.values():
        if room.lane == lane:
            post(federation, tx, peer.id, "StateRequest", StateRequest(room.name, ""))
