"""An operator asks another instance to trade."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from commensal import Conflict, Transaction

from ..delivery import post
from ..identity import InstanceDocument, instance_document
from ..messages.peer_request import PeerRequestBody
from ..peers.changing import change_peer, new_peer, read_scopes
from ..peers.fetching import fetch_document, iri_of
from ..peers.peers import peer_by_id, peer_by_iri
from ..peers.values import SCOPES, Peer
from ..runtime import Federation
from ..signing import canonical
from .accepting import accept
from .fingerprints import refuse_other_fingerprint


@dataclass(frozen=True)
class _Invitation:
    document: InstanceDocument
    text: str
    scopes: list[str]
    wanted: list[str]
    nonce: str


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
    given, wanted = read_scopes(scopes, "/scopes"), read_scopes(wanted, "/wanted")
    iri = iri_of(federation, url)
    store = federation.instance.store
    with store.read() as tx:
        known = peer_by_iri(tx, iri)
    if known is not None and known.state == "requested":
        return accept(federation, known.id, given, fingerprint=fingerprint)
    document, text = fetch_document(federation, iri)
    refuse_other_fingerprint(document, fingerprint)
    invitation = _Invitation(document, text, given, wanted, federation.instance.ids.secret())
    return store.transact(lambda tx: _invite(federation, tx, invitation))


def _invite(federation: Federation, tx: Transaction, invitation: _Invitation) -> Peer:
    peer_id = _row(tx, invitation)
    ours = canonical(instance_document(federation, tx)).decode()
    body = PeerRequestBody(ours, invitation.nonce, tuple(invitation.scopes), tuple(invitation.wanted))
    post(federation, tx, peer_id, "PeerRequest", body)
    return peer_by_id(tx, peer_id)


def _row(tx: Transaction, invitation: _Invitation) -> str:
    """A new row, or that of an instance with which it was ended, or which has not answered yet."""
    set_by_us = {"state": "invited", "scopes_given": invitation.scopes, "nonce": invitation.nonce}
    known = peer_by_iri(tx, invitation.document.iri)
    if known is None:
        return new_peer(tx, invitation.document, invitation.text, **set_by_us)
    if known.state in ("accepted", "suspended"):
        raise Conflict("peer_known", "{name} is a peer already.", name=known.name)
    pinned = {"document": invitation.text, "document_at": tx.now, "name": invitation.document.name}
    change_peer(tx, known.id, **set_by_us, **pinned, revoked_at=None)
    return known.id
