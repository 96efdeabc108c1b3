"""Requests of strangers: checked by what they carry, stored, and shown to the operator. Nothing is fetched."""

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

OF_AN_ADDRESS = 6  # in a minute
OF_ALL = 60
MOST = 100  # that wait for an operator
OLDEST = timedelta(days=8)  # one that was delivered after a week of trying
_peer = federation_peer.c


@dataclass(frozen=True)
class _Request:
    envelope: Envelope
    body: PeerRequestBody
    document: InstanceDocument


def receive_request(federation: Federation, body: bytes, address: str) -> Receipt:
    """Stores the request of an instance that is not known yet. `address` is the caller's, for the limits.

    The cheap is asked before the dear: how often, how large, and only then what it says and whether it proves itself.
    """
    now = federation.instance.clock.now()
    for name, most in ((f"request {address}", OF_AN_ADDRESS), ("requests", OF_ALL)):
        if windows_of(federation.instance).add(name, now)[0] > most:
            return Receipt(429, "", "too_many", "too many requests to become a peer")
    if len(body) > LARGEST:
        return Receipt(413, "", "too_large", f"more than {LARGEST} bytes")
    try:
        request = _read(federation, body)
    except NotTaken as refused:
        return refused.receipt
    except (Unreadable, BadDocument) as error:
        return Receipt(422, "", error.code, error.text)
    return federation.instance.store.transact(lambda tx: _keep(federation, tx, request))


def waiting_requests(tx: Transaction) -> int:
    """Requests that nobody has looked at."""
    count: int = tx.value(select(func.count()).where(_peer.state == "requested"))
    return count


def _read(federation: Federation, body: bytes) -> _Request:
    """By the keys in the document that it carries: so it is whole, and who it is a human will say."""
    now = federation.instance.clock.now()
    envelope = read_envelope(read_json(body, LARGEST), body)
    if envelope.type != PEER_REQUEST.name or envelope.lane != PEER_REQUEST.lane:
        raise Unreadable("type", "only a PeerRequest is taken from strangers")
    if not envelope.actor.endswith(WELL_KNOWN) or url_problem(federation.instance, envelope.actor, "") is not None:
        raise Unreadable("actor", "actor is no address of an instance")
    if envelope.published < now - OLDEST:
        raise Unreadable("old", "published long ago")
    said: PeerRequestBody = PEER_REQUEST.read(envelope.object, Reading(federation.base, ""))
    document = read_document(said.document.encode(), envelope.actor, now)
    refuse_other_places(federation, envelope.actor, envelope, now)
    prove(envelope, document.keys, now)
    return _Request(envelope, said, document)


def _keep(federation: Federation, tx: Transaction, request: _Request) -> Receipt:
    known = peer_by_iri(tx, request.document.iri)
    id = request.envelope.id
    if known is None:
        if waiting_requests(tx) >= MOST:
            return Receipt(429, id, "too_many", "too many requests wait for the operator")
        new_peer(tx, request.document, request.body.document, state="requested", **_asked(request))
        return Receipt(202, id)
    if known.state in ("suspended", "revoked"):
        return Receipt(403, id, "peer", f"the peer is {known.state} here")
    if not same_or_rotated(pinned_document(known), request.document):
        return Receipt(403, id, "document", "another document of this instance is pinned here")
    if known.state == "accepted":
        return Receipt(200, id, "known")
    _renew(tx, known, request)
    if known.state == "invited":  # its operator has asked, and ours had asked too: both have agreed
        agree(federation, tx, known.id)
    return Receipt(202, id)


def _renew(tx: Transaction, known: Peer, request: _Request) -> None:
    values = {"document": request.body.document, "document_at": tx.now, "name": request.document.name}
    tx.execute(update(federation_peer).where(_peer.id == known.id), {**values, **_asked(request)})


def _asked(request: _Request) -> dict[str, object]:
    return {"nonce": request.body.nonce, "request": request.envelope.body.decode()}
