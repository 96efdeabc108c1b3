"""Asks a peer for the whole state behind a lane whose history it does not keep any more."""

from __future__ import annotations

from commensal import Transaction

from ...messages.state_request import StateRequestBody
from ...peers.values import Peer
from ...runtime import Federation
from ..outbox.outbox import post
from .states import MIRRORED


def ask_state(federation: Federation, tx: Transaction, peer: Peer, lane: str) -> None:
    """Posts a StateRequest for each room whose messages travel in this lane."""
    for room in MIRRORED.values():
        if room.lane == lane:
            post(federation, tx, peer.id, "StateRequest", StateRequestBody(room.name))
