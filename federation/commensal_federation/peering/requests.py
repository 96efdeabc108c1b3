"""Receives strangers' requests to become a peer: verifies them against the sender's own document, and stores them.

A request counts only if the document at the address that it names has signed it. So nobody can ask in the name of
another, and nothing unproven leaves a row. That document is fetched from nowhere but the address of the request's
`actor`, by the client that calls no inner address, after every check that needs no network.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select, update

from commensal import Conflict, Transaction, url_problem

from ..delivery.inbox.verification import NotTaken, prove, refuse_other_places
from ..delivery.tables import federation_inbox
from ..delivery.values import Receipt
from ..identity import InstanceDocument, read_document, same_or_rotated
from ..identity.read import BadDocument
from ..messages.envelope import Envelope, read_envelope
from ..messages.peering import LARGEST, PEER_REQUEST, PeerRequest
from ..messages.types import Reading
from ..peers.changing import new_peer
from ..peers.fetching import fetch_document
from ..peers.limits import windows_of
from ..peers.peers import WELL_KNOWN, Peer, peer_by_iri, pinned_document
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import Unreadable, read_json
from .inviting import agree
from .waiting import make_room, site_of

MOST_OF_ADDRESS = 6  # requests of one network in a minute
MOST_OF_ALL = 60  # requests of all networks in a minute, beside the first one of each
MOST_OF_SITE = 6  # requests in a minute that name addresses of one site, each of which is called
OLDEST = timedelta(days=8)  # a request may be delivered after a week of retries
_SECONDS = 5.0  # that the sender's document may take
_fetching = threading.BoundedSemaphore(4)  # so that slow addresses take no more than so many threads
_peer, _inbox = federation_peer.c, federation_inbox.c


@dataclass(frozen=True)
class _PeerRequest:
    envelope: Envelope
    body: PeerRequest
    document: InstanceDocument
    text: str  # of the document, as it is pinned


def receive_request(federation: Federation, body: bytes, address: str) -> Receipt:
    """Verifies and stores the request of an instance. `address` is the caller's network, for the limits.

    Cheap checks come first: rate, size, content, a proof by the document in the request, and what is known of the
    instance. Only then the document is fetched from its own address. Not inside a transaction.
    """
    now = federation.instance.clock.now()
    windows, too_many = (
        windows_of(federation.instance),
        Receipt(429, "", "too_many", "too many requests to become a peer"),
    )
    of_network = windows.add(f"request {address}", now)[0]
    if of_network > MOST_OF_ADDRESS:
        return too_many
    if len(body) > LARGEST:
        return Receipt(413, "", "too_large", f"more than {LARGEST} bytes")
    try:
        request = _read(federation, body)
        _refuse_known(federation, request)
        # Of all together only what has a key counts, and nobody's first one of a minute: others cannot keep it out.
        if of_network > 1 and windows.add("requests", now)[0] > MOST_OF_ALL:
            return too_many
        request = _confirm(federation, request)
    except NotTaken as refusal:
        return refusal.receipt
    except (Unreadable, BadDocument) as error:
        return Receipt(422, "", error.code, error.text)
    return federation.instance.store.transact(lambda tx: _store(federation, tx, request, address))


def _read(federation: Federation, body: bytes) -> _PeerRequest:
    """Verifies a request by the document that it contains, which shows no more than that the request is intact."""
    now = federation.instance.clock.now()
    envelope = read_envelope(read_json(body, LARGEST), body)
    if envelope.type != PEER_REQUEST.name or envelope.lane != PEER_REQUEST.lane:
        raise Unreadable("type", "only a PeerRequest is taken from strangers")
    if (
        envelope.actor == federation.iri
        or not envelope.actor.endswith(WELL_KNOWN)
        or url_problem(federation.instance, envelope.actor, "") is not None
    ):
        raise Unreadable("actor", "actor is not an address of an instance")
    if envelope.published < now - OLDEST:
        raise Unreadable("old", "published long ago")
    request_body: PeerRequest = PEER_REQUEST.read(envelope.object, Reading(federation.base, ""))
    document = read_document(request_body.document.encode(), envelope.actor, now)
    refuse_other_places(federation, envelope.actor, envelope, now)
    prove(envelope, document.keys, now)
    return _PeerRequest(envelope, request_body, document, request_body.document)


def _refuse_known(federation: Federation, request: _PeerRequest) -> None:
    """Raises `NotTaken` with the answer to an instance of which we need no document."""
    with federation.instance.store.read() as tx:
        peer = peer_by_iri(tx, request.document.iri)
        receipt = None if peer is None else _settled(tx, peer, request)
    if receipt is not None:
        raise NotTaken(receipt)


def _settled(tx: Transaction, peer: Peer, request: _PeerRequest) -> Receipt | None:
    """The answer to the request of an instance that is a peer, or none any more; None if its request is wanted.

    A peer that asks again has forgotten the agreement: it was restored from a backup that is older.
    """
    message_id = request.envelope.id
    if peer.state in ("suspended", "revoked"):
        return Receipt(403, message_id, "peer", f"the peer is {peer.state} here")
    if not same_or_rotated(pinned_document(peer), request.document):
        return Receipt(403, message_id, "document", "another document of this instance is pinned here")
    if peer.state == "accepted" and tx.first(select(_inbox.id).where(_inbox.id == message_id)) is not None:
        return Receipt(200, message_id, "known")
    return None


def _confirm(federation: Federation, request: _PeerRequest) -> _PeerRequest:
    """The request with the document that its `actor` serves, which must have signed it. Raises `NotTaken`.

    The refusals say nothing of what was found at the address, since the sender may have chosen any.
    """
    now, message_id = federation.instance.clock.now(), request.envelope.id
    if windows_of(federation.instance).add(f"request of {site_of(request.document.iri)}", now)[0] > MOST_OF_SITE:
        raise NotTaken(Receipt(429, message_id, "too_many", "too many requests to become a peer"))
    if not _fetching.acquire(blocking=False):
        raise NotTaken(Receipt(429, message_id, "busy", "try again in a moment"))
    try:
        fetched = fetch_document(federation, request.document.iri, seconds=_SECONDS)
    except Conflict as error:
        raise NotTaken(Receipt(425, message_id, "origin", "actor does not serve its document")) from error
    finally:
        _fetching.release()
    if not same_or_rotated(request.document, fetched.document):
        raise NotTaken(Receipt(403, message_id, "origin", "actor serves another document"))
    prove(request.envelope, fetched.document.keys, now)
    return replace(request, document=fetched.document, text=fetched.text)


def _store(federation: Federation, tx: Transaction, request: _PeerRequest, address: str) -> Receipt:
    peer = peer_by_iri(tx, request.document.iri)
    message_id = request.envelope.id
    if peer is None:
        if not make_room(tx, request.document.iri, address):
            return Receipt(429, message_id, "too_many", "too many requests wait for the operator")
        values = _request_values(tx, request, address)
        new_peer(tx, request.document, request.text, state="requested", **values)
        return Receipt(202, message_id)
    if (receipt := _settled(tx, peer, request)) is not None:
        return receipt
    is_our_wish = peer.state == "accepted" or peer.shown_state(tx.now) == "invited"
    _renew(tx, peer, request, address)
    if is_our_wish:  # its operator has asked, and ours had asked or agreed too: both have agreed
        agree(federation, tx, peer.id)
    return Receipt(202, message_id)


def _renew(tx: Transaction, peer: Peer, request: _PeerRequest, address: str) -> None:
    pinned = {"document": request.text, "document_at": tx.now, "name": request.document.name}
    values = {**pinned, "state": "requested", **_request_values(tx, request, address)}
    tx.execute(update(federation_peer).where(_peer.id == peer.id), values)


def _request_values(tx: Transaction, request: _PeerRequest, address: str) -> dict[str, object]:
    envelope = request.envelope
    return {
        "nonce": request.body.nonce,
        "request": envelope.body.decode(),
        "requested_at": min(envelope.published, tx.now),  # as its sender counts
        "network": address,
    }
