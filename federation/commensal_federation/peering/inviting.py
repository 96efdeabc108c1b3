"""An operator asks another instance to trade."""

from __future__ import annotations

from collections.abc import Collection

from commensal import Conflict, Transaction

from ..delivery import post
from ..identity import instance_document
from ..messages.peer_request import PeerRequestBody
from ..peers.changing import change_peer, new_peer, read_scopes
from ..peers.fetching import Fetched, fetch_document, iri_of
from ..peers.peers import peer_by_id, peer_by_iri
from ..peers.values import SCOPES, Peer
from ..runtime import Federation
from ..signing import canonical
from .accepting import accept_fetched
from .fingerprints import refuse_other_fingerprint
from .key_updates import keys_now


def invite(
    federation: Federation,
    url: str,
    scopes: Collection[str],
    *,
    wanted: Collection[str] = SCOPES,
    fingerprint: str = "",
) -> Peer:
    """Asks the instance at `url` to trade, and pins its document. Its operator must accept. Not inside a transaction.

    `scopes` is what it may do here, `wanted` what we would like to do there. Where it has asked us already, this
    accepts. With a `fingerprint` its document must have that one. Raises `Invalid` and `Conflict`.
    """
    read_scopes(scopes, "/scopes")
    fetched = fetch_document(federation, iri_of(federation, url))
    refuse_other_fingerprint(fetched.document, fingerprint)
    return federation.instance.store.transact(lambda tx: invite_fetched(federation, tx, fetched, scopes, wanted))


def invite_fetched(
    federation: Federation, tx: Transaction, fetched: Fetched, scopes: Collection[str], wanted: Collection[str]
) -> Peer:
    """The same, once the document is there."""
    given, wanted = read_scopes(scopes, "/scopes"), read_scopes(wanted, "/wanted")
    known = peer_by_iri(tx, fetched.document.iri)
    if known is not None and known.state == "requested":
        return accept_fetched(federation, tx, known.id, fetched, given)
    nonce = tx.ids.secret()
    peer_id = _row(tx, known, fetched, given, nonce)
    ours = canonical(instance_document(federation, tx)).decode()
    post(federation, tx, peer_id, "PeerRequest", PeerRequestBody(ours, nonce, tuple(given), tuple(wanted)))
    return peer_by_id(tx, peer_id)


def _row(tx: Transaction, known: Peer | None, fetched: Fetched, given: list[str], nonce: str) -> str:
    """A new row, or that of an instance with which it was ended, or which has not answered yet."""
    values = {"state": "invited", "scopes_given": given, "nonce": nonce, "keys_told": keys_now(tx)}
    if known is None:
        return new_peer(tx, fetched.document, fetched.text, **values)
    if known.state in ("accepted", "suspended"):
        raise Conflict("peer_known", "{name} is a peer already.", name=known.name)
    pinned = {"document": fetched.text, "document_at": tx.now, "name": fetched.document.name}
    change_peer(tx, known.id, **values, **pinned, revoked_at=None)
    return known.id
