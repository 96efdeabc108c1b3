"""Changes a peer's scopes and limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace

from commensal import Conflict, Invalid, Problem, Stale, Transaction

from ..delivery import post
from ..messages.peering import ScopesChanged
from ..peers.changing import change_peer, read_scopes
from ..peers.fetching import Fetched, fetch_document
from ..peers.peers import Limits, Peer, peer_by_id, refuse_other_fingerprint
from ..runtime import Federation
from .ending import resume

SHARES = ("lot_share", "order_share")  # limits in percent


def change_scopes(federation: Federation, tx: Transaction, peer_id: str, version: int, scopes: Collection[str]) -> Peer:
    """Sets the peer's scopes here and notifies it. Raises `NotFound`, `Stale`, `Invalid`, `Conflict`."""
    granted = read_scopes(federation, scopes, "/scopes")
    peer = _peer_of_version(tx, peer_id, version)
    if peer.state == "revoked":
        raise Conflict("peer_revoked", "It is over with {name} already.", name=peer.name)
    change_peer(tx, peer_id, scopes_given=granted)
    if peer.state in ("accepted", "suspended"):
        post(federation, tx, peer_id, "ScopesChanged", ScopesChanged(tuple(granted)))
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


# Confirms the new root key of a peer that has lost its keys, once two operators have compared the new fingerprint.


def confirm_keys(federation: Federation, peer_id: str, fingerprint: str) -> Peer:
    """Pins the document that the peer serves now, also with another root key, and resumes a suspended peer.

    Grants, leases and orders go on. Not inside a transaction. Raises `NotFound`, and `Conflict` if the document has
    another `fingerprint` than the one that was compared, or it is not a peer.
    """
    with federation.instance.store.read() as tx:
        fetched = fetch_confirmed(federation, peer_to_confirm(tx, peer_id), fingerprint)
    return federation.instance.store.transact(lambda tx: confirm_fetched(tx, peer_id, fetched))


def fetch_confirmed(federation: Federation, peer: Peer, fingerprint: str) -> Fetched:
    """The document of the peer, which must have this fingerprint."""
    if not fingerprint.split():
        raise Conflict("peer_fingerprint", "Compare the fingerprint with its operator first.")
    fetched = fetch_document(federation, peer.iri)
    refuse_other_fingerprint(fetched.document, fingerprint)
    return fetched


def confirm_fetched(tx: Transaction, peer_id: str, fetched: Fetched) -> Peer:
    """Like `confirm_keys`, with a document that was fetched before, inside a transaction."""
    peer = peer_to_confirm(tx, peer_id)
    change_peer(tx, peer_id, document=fetched.text, document_at=tx.now, name=fetched.document.name)
    return resume(tx, peer_id) if peer.state == "suspended" else peer_by_id(tx, peer_id)


def peer_to_confirm(tx: Transaction, peer_id: str) -> Peer:
    """The peer, if it is accepted or suspended. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.state not in ("accepted", "suspended"):
        raise Conflict("peer_not_accepted", "{name} is not a peer at present.", name=peer.name)
    return peer
