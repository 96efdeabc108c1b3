"""Asks a peer for the whole of what its lane has told, when it does not keep that history any more."""

from __future__ import annotations

from commensal import Transaction

from ...messages.state_request import StateRequestBody
from ...peers.values import Peer
from ...runtime import Federation
from ..outbox.outbox import post
from .states import MIRRORED


def ask_state(federation: Federation, tx: Transaction, peer: Peer, lane: str) -> None:
    """Of every room whose messages travel in this lane."""
    for room in MIRRORED.values():
        if room.lane == lane:
            post(federation, tx, peer.id, "StateRequest", StateRequestBody(room.name))
