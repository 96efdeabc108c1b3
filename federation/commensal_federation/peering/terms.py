"""Changes a peer's scopes and limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace

from commensal import Conflict, Invalid, Problem, Stale, Transaction

from ..delivery import post
from ..messages.scopes_changed import ScopesChangedBody
from ..peers.changing import change_peer, read_scopes
from ..peers.peers import peer_by_id
from ..peers.values import Limits, Peer
from ..runtime import Federation

SHARES = ("lot_share", "order_share")  # limits in percent


def change_scopes(federation: Federation, tx: Transaction, peer_id: str, version: int, scopes: Collection[str]) -> Peer:
    """Sets the peer's scopes here and notifies it. Raises `NotFound`, `Stale`, `Invalid`, `Conflict`."""
    granted = read_scopes(federation, scopes, "/scopes")
    peer = _peer_of_version(tx, peer_id, version)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    change_peer(tx, peer_id, scopes_given=granted)
    if peer.state in ("accepted", "suspended"):
        post(federation, tx, peer_id, "ScopesChanged", ScopesChangedBody(tuple(granted)))
    return peer_by_id(tx, peer_id)


def change_limits(tx: Transaction, peer_id: str, version: int, changes: Mapping[str, int]) -> Peer:
    """Changes these of the peer's limits. Raises `NotFound`, `Stale`, `Invalid`."""
    wrong = [name for name, value in changes.items() if value < 0 or (name in SHARES and value > 100)]
    if wrong:
        text = "A limit is 0 or more; a share of a lot is at most 100 percent."
        raise Invalid([Problem("limit", text, f"/{name}") for name in wrong])
    peer = _peer_of_version(tx, peer_id, version)
    limits, usual = asdict(replace(peer.limits, **changes)), asdict(Limits())
    change_peer(tx, peer_id, limits={name: value for name, value in limits.items() if value != usual[name]})
    return peer_by_id(tx, peer_id)


def _peer_of_version(tx: Transaction, peer_id: str, version: int) -> Peer:
    peer = peer_by_id(tx, peer_id)
    if peer.version != version:
        raise Stale
    return peer
