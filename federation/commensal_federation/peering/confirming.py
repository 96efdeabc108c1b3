"""Confirms the new root key of a peer that has lost its keys, once two operators have compared the new fingerprint."""

from __future__ import annotations

from commensal import Conflict, Transaction

from ..peers.changing import change_peer
from ..peers.fetching import Fetched, fetch_document
from ..peers.fingerprints import refuse_other_fingerprint
from ..peers.peers import peer_by_id
from ..peers.values import Peer
from ..runtime import Federation
from .ending import resume


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
