"""Peers: other instances that two humans have agreed to trade with."""

from .peers import peer_by_id, peer_by_iri, peers
from .values import SCOPES, Limits, Peer

__all__ = ["SCOPES", "Limits", "Peer", "peer_by_id", "peer_by_iri", "peers"]
