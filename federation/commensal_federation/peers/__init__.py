"""Peers: other instances with which both operators have agreed to trade."""

from .peers import SCOPES, Limits, Peer, peer_by_id, peer_by_iri, peers

__all__ = ["SCOPES", "Limits", "Peer", "peer_by_id", "peer_by_iri", "peers"]
