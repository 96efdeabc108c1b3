"""What messages about the agreement between two instances do here."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from commensal import Transaction

from ..delivery.outbox.failed import own_envelope
from ..delivery.restore.restored import recover_from
from ..delivery.tables import federation_outbox
from ..messages import Handler, MessageType, Received, Refuse
from ..messages.peering import (
    KEY_UPDATE,
    PEER_ACCEPT,
    PEER_REQUEST,
    PEER_REVOKE,
    SCOPES_CHANGED,
    KeyUpdate,
    PeerAccept,
    PeerRequest,
    PeerRevoke,
    ScopesChanged,
)
from ..messages.types import Reading
from ..peers.changing import record_acceptance, record_received_scopes
from ..peers.peers import Peer, repin
from ..runtime import Federation
from .deciding import record_revocation

_sent = federation_outbox.c
_OWN_REQUEST = (
    select(_sent.body)
    .where(_sent.peer_id == bindparam("peer"), _sent.type == bindparam("type"))
    .order_by(_sent.created_at.desc(), _sent.seq.desc())
    .limit(1)
)


def handle_peer_request(federation: Federation, tx: Transaction, received: Received[PeerRequest]) -> None:
    """Does nothing: it is a repetition, and `requests.py` stored the request when it first came."""


def handle_peer_accept(federation: Federation, tx: Transaction, received: Received[PeerAccept]) -> None:
    """Makes a peer of the instance that we invited. Raises `Refuse` for an answer to another invitation.

    Where both had asked, each has agreed by the other's request, whose nonce is stored, and the acceptance of our own
    request tells only the scopes.
    """
    peer, body = received.peer, received.body
    if peer.active and body.nonce == _own_nonce(tx, peer):
        record_received_scopes(federation, tx, peer, body.scopes_given)
    else:
        record_acceptance(federation, tx, peer, body.nonce, body.scopes_given)
        recover_from(federation, tx, peer.id)


def handle_scopes_changed(federation: Federation, tx: Transaction, received: Received[ScopesChanged]) -> None:
    """Notes what we may do at the peer's from now on."""
    record_received_scopes(federation, tx, received.peer, received.body.scopes_given)


def handle_peer_revoke(federation: Federation, tx: Transaction, received: Received[PeerRevoke]) -> None:
    """Ends the trade, because the peer's operator has ended it."""
    record_revocation(federation, tx, received.peer, received.body.text)


def handle_key_update(federation: Federation, tx: Transaction, received: Received[KeyUpdate]) -> None:
    """Pins the peer's new document. Raises `Refuse` unless the root key that is pinned has signed it."""
    if not repin(tx, received.peer, received.body.document):
        raise Refuse("document", "The document does not follow the one that is pinned.")


def _own_nonce(tx: Transaction, peer: Peer) -> str:
    """The nonce of our newest request to this peer; "" if we have made none that is kept."""
    body = tx.value(_OWN_REQUEST, {"peer": peer.id, "type": PEER_REQUEST.name})
    if body is None:
        return ""
    request: PeerRequest = PEER_REQUEST.read(own_envelope(body).object, Reading("", peer.base))
    return request.nonce


HANDLERS: dict[MessageType, Handler] = {
    PEER_REQUEST: Handler(handle_peer_request),
    PEER_ACCEPT: Handler(handle_peer_accept),
    SCOPES_CHANGED: Handler(handle_scopes_changed),
    PEER_REVOKE: Handler(handle_peer_revoke),
    KEY_UPDATE: Handler(handle_key_update),
}
