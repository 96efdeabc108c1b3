"""Invites another instance to trade."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Conflict, Transaction

from ..delivery import post
from ..identity import instance_document
from ..messages.peer_request import PeerRequestBody
from ..peers.changing import change_peer, new_peer, read_scopes
from ..peers.fetching import Fetched, fetch_document, iri_of
from ..peers.fingerprints import refuse_other_fingerprint
from ..peers.peers import peer_by_id, peer_by_iri
from ..peers.values import SCOPES, Peer
from ..runtime import Federation
from ..signing import canonical
from .accepting import accept_fetched
from .key_updates import keys_digest


def invite(
    federation: Federation,
    url: str,
    scopes: Collection[str],
    *,
    requested: Collection[str] = SCOPES,
    fingerprint: str = "",
) -> Peer:
    """Invites the instance at `url` and pins its document; its operator must accept. Not inside a transaction.

    `scopes` is what it may do here, `requested` what we request there. If it has invited us already, this accepts. With
    a `fingerprint`, its document must have that one. Raises `Invalid` and `Conflict`.
    """
    read_scopes(federation, scopes, "/scopes")
    fetched = fetch_document(federation, iri_of(federation, url))
    refuse_other_fingerprint(fetched.document, fingerprint)
    return federation.instance.store.transact(lambda tx: invite_fetched(federation, tx, fetched, scopes, requested))


def invite_fetched(
    federation: Federation, tx: Transaction, fetched: Fetched, scopes: Collection[str], requested: Collection[str]
) -> Peer:
    """Like `invite`, with a document that was fetched before, inside a transaction."""
    granted, requested = read_scopes(federation, scopes, "/scopes"), read_scopes(federation, requested, "/wanted")
    existing = peer_by_iri(tx, fetched.document.iri)
    if existing is not None and existing.state == "requested":
        return accept_fetched(federation, tx, existing.id, fetched, granted)
    nonce = tx.ids.secret()
    peer_id = _invited_row(tx, existing, fetched, granted, nonce)
    document = canonical(instance_document(federation, tx)).decode()
    post(federation, tx, peer_id, "PeerRequest", PeerRequestBody(document, nonce, tuple(granted), tuple(requested)))
    return peer_by_id(tx, peer_id)


def _invited_row(tx: Transaction, existing: Peer | None, fetched: Fetched, granted: list[str], nonce: str) -> str:
    """The id of a new row, or of the reused row of an instance that was revoked or has not answered yet."""
    values = {
        "state": "invited",
        "scopes_given": granted,
        "nonce": nonce,
        "keys_told": keys_digest(tx),
        "requested_at": tx.now,
    }
    if existing is None:
        return new_peer(tx, fetched.document, fetched.text, **values)
    if existing.state in ("accepted", "suspended"):
        raise Conflict("peer_known", "{name} is a peer already.", name=existing.name)
    pinned = {"document": fetched.text, "document_at": tx.now, "name": fetched.document.name}
    change_peer(tx, existing.id, **values, **pinned, revoked_at=None)
    return existing.id
