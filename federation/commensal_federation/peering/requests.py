"""Receives strangers' requests to become a peer: verifies them by their content alone, and stores them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update

from commensal import Transaction, url_problem

from ..delivery.inbox.verification import NotTaken, prove, refuse_other_places
from ..delivery.values import Receipt
from ..identity import InstanceDocument, read_document, same_or_rotated
from ..identity.read import BadDocument
from ..messages.envelope import Envelope, read_envelope
from ..messages.peer_request import LARGEST, PEER_REQUEST, PeerRequestBody
from ..messages.types import Reading
from ..peers.changing import new_peer
from ..peers.peers import peer_by_iri
from ..peers.pinned import pinned_document
from ..peers.rate_windows import windows_of
from ..peers.tables import federation_peer
from ..peers.values import WELL_KNOWN, Peer
from ..runtime import Federation
from ..signing import Unreadable, read_json
from .accepting import agree

MOST_OF_ADDRESS = 6  # requests of one address in a minute
MOST_OF_ALL = 60  # requests of all addresses in a minute
MOST = 100  # requests that wait for an operator
OLDEST = timedelta(days=8)  # a request may be delivered after a week of retries
_peer = federation_peer.c


@dataclass(frozen=True)
class _PeerRequest:
    envelope: Envelope
    body: PeerRequestBody
    document: InstanceDocument


def receive_request(federation: Federation, body: bytes, address: str) -> Receipt:
    """Stores the request of an instance that is not known yet. `address` is the caller's, for the limits.

    Cheap checks come first: rate, then size, then content and proof.
    """
    now = federation.instance.clock.now()
    for name, limit in ((f"request {address}", MOST_OF_ADDRESS), ("requests", MOST_OF_ALL)):
        if windows_of(federation.instance).add(name, now)[0] > limit:
            return Receipt(429, "", "too_many", "too many requests to become a peer")
    if len(body) > LARGEST:
        return Receipt(413, "", "too_large", f"more than {LARGEST} bytes")
    try:
        request = _read(federation, body)
    except NotTaken as refusal:
        return refusal.receipt
    except (Unreadable, BadDocument) as error:
        return Receipt(422, "", error.code, error.text)
    return federation.instance.store.transact(lambda tx: _store(federation, tx, request))


def waiting_requests(tx: Transaction) -> int:
    """The number of requests that wait for the operator."""
    count: int = tx.value(select(func.count()).where(_peer.state == "requested"))
    return count


def _read(federation: Federation, body: bytes) -> _PeerRequest:
    """Verifies a request by the document that it contains. That shows that it is intact; a human checks whose it is."""
    now = federation.instance.clock.now()
    envelope = read_envelope(read_json(body, LARGEST), body)
    if envelope.type != PEER_REQUEST.name or envelope.lane != PEER_REQUEST.lane:
        raise Unreadable("type", "only a PeerRequest is taken from strangers")
    if not envelope.actor.endswith(WELL_KNOWN) or url_problem(federation.instance, envelope.actor, "") is not None:
        raise Unreadable("actor", "actor is no address of an instance")
    if envelope.published < now - OLDEST:
        raise Unreadable("old", "published long ago")
    request_body: PeerRequestBody = PEER_REQUEST.read(envelope.object, Reading(federation.base, ""))
    document = read_document(request_body.document.encode(), envelope.actor, now)
    refuse_other_places(federation, envelope.actor, envelope, now)
    prove(envelope, document.keys, now)
    return _PeerRequest(envelope, request_body, document)


def _store(federation: Federation, tx: Transaction, request: _PeerRequest) -> Receipt:
    peer = peer_by_iri(tx, request.document.iri)
    message_id = request.envelope.id
    if peer is None:
        if waiting_requests(tx) >= MOST:
            return Receipt(429, message_id, "too_many", "too many requests wait for the operator")
        new_peer(tx, request.document, request.body.document, state="requested", **_request_values(request))
        return Receipt(202, message_id)
    if peer.state in ("suspended", "revoked"):
        return Receipt(403, message_id, "peer", f"the peer is {peer.state} here")
    if not same_or_rotated(pinned_document(peer), request.document):
        return Receipt(403, message_id, "document", "another document of this instance is pinned here")
    if peer.state == "accepted":
        return Receipt(200, message_id, "known")
    _renew(tx, peer, request)
    if peer.state == "invited":  # its operator has asked, and ours had asked too: both have agreed
        agree(federation, tx, peer.id)
    return Receipt(202, message_id)


def _renew(tx: Transaction, peer: Peer, request: _PeerRequest) -> None:
    values = {"document": request.body.document, "document_at": tx.now, "name": request.document.name}
    tx.execute(update(federation_peer).where(_peer.id == peer.id), {**values, **_request_values(request)})


def _request_values(request: _PeerRequest) -> dict[str, object]:
    return {"nonce": request.body.nonce, "request": request.envelope.body.decode()}
