"""Invites another instance to trade."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select

from commensal import Conflict, Transaction

from ..delivery import post
from ..delivery.inbox.inbox import Inbox
from ..delivery.inbox.verification import Checked
from ..delivery.outbox.failed import own_envelope
from ..identity import instance_document, same_or_rotated
from ..messages.peering import PEER_REQUEST, PeerAccept, PeerRequest
from ..messages.types import Reading
from ..peers.changing import change_peer, known_scopes, new_peer, read_scopes
from ..peers.fetching import Fetched, fetch_document, iri_of
from ..peers.peers import SCOPES, Peer, peer_by_id, peer_by_iri, pinned_document, refuse_other_fingerprint
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import canonical
from ..signing.proof import read_proof
from .key_updates import keys_digest

# Accepts the request of another instance, when our operator agrees.


def accept(federation: Federation, peer_id: str, scopes: Collection[str], *, fingerprint: str = "") -> Peer:
    """Accepts a peer's request with these scopes, and sends the acceptance. Not inside a transaction.

    Only now is its document fetched from its address: it must be the one in the request, or a newer one with the same
    root key. Raises `NotFound`, `Invalid` and `Conflict`.
    """
    read_scopes(federation, scopes, "/scopes")
    with federation.instance.store.read() as tx:
        peer = requested_peer(tx, peer_id)
    fetched = fetch_document(federation, peer.iri)
    refuse_other_fingerprint(fetched.document, fingerprint)
    return federation.instance.store.transact(lambda tx: accept_fetched(federation, tx, peer_id, fetched, scopes))


def accept_fetched(
    federation: Federation, tx: Transaction, peer_id: str, fetched: Fetched, scopes: Collection[str]
) -> Peer:
    """Like `accept`, with a document that was fetched before, inside a transaction."""
    granted = read_scopes(federation, scopes, "/scopes")
    peer = requested_peer(tx, peer_id)
    if not same_or_rotated(pinned_document(peer), fetched.document):
        raise Conflict("peer_changed", "{name} shows another document than the one it asked with.", name=peer.name)
    pinned = {"document": fetched.text, "document_at": tx.now, "name": fetched.document.name}
    change_peer(tx, peer_id, **pinned, scopes_given=granted, keys_told=keys_digest(tx))
    return agree(federation, tx, peer_id)


def agree(federation: Federation, tx: Transaction, peer_id: str) -> Peer:
    """Concludes the agreement once both operators consent: takes the peer's request into the inbox and answers it.

    The request is the peer's first message and is kept like all messages, so that it can be proven later.
    """
    column = federation_peer.c
    row = tx.one(select(column.nonce, column.request, column.scopes_given).where(column.id == peer_id))
    request = own_envelope(row["request"])
    peer = peer_by_id(tx, peer_id)
    body: PeerRequest = PEER_REQUEST.read(request.object, Reading(federation.base, peer.base))
    key = pinned_document(peer).keys[read_proof(request.document)["verificationMethod"]]
    inbox = Inbox(federation, tx, peer)
    inbox.take(Checked(request, federation.messages[PEER_REQUEST.name], body, key))
    inbox.finish()
    received = known_scopes(federation, body.scopes_given)
    change_peer(tx, peer_id, state="accepted", accepted_at=tx.now, revoked_at=None, scopes_received=received)
    post(federation, tx, peer_id, "PeerAccept", PeerAccept(row["nonce"], tuple(row["scopes_given"])))
    return peer_by_id(tx, peer_id)


def requested_scopes(federation: Federation, tx: Transaction, peer: Peer) -> Sequence[str] | None:
    """The scopes that a waiting instance requests here; None if it does not wait for an answer."""
    if peer.state != "requested":
        return None
    request = tx.value(select(federation_peer.c.request).where(federation_peer.c.id == peer.id))
    body: PeerRequest = PEER_REQUEST.read(own_envelope(request).object, Reading("", peer.base))
    return known_scopes(federation, body.scopes_wanted)


def requested_peer(tx: Transaction, peer_id: str) -> Peer:
    """The instance, if its request waits for an answer and has not expired. Raises `NotFound`, `Conflict`."""
    peer = peer_by_id(tx, peer_id)
    if peer.shown_state(tx.now) == "expired":
        text = "The request of {name} has expired; ask its operator to send another."
        raise Conflict("peer_expired", text, name=peer.name)
    if peer.state != "requested":
        raise Conflict("peer_not_requested", "{name} has not asked, or is a peer already.", name=peer.name)
    return peer


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
    post(federation, tx, peer_id, "PeerRequest", PeerRequest(document, nonce, tuple(granted), tuple(requested)))
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
