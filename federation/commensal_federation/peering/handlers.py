"""What messages about the agreement between two instances do here."""

from __future__ import annotations

from commensal import Transaction

from ..messages import Received, Refuse
from ..messages.key_update import KeyUpdateBody
from ..messages.peer_accept import PeerAcceptBody
from ..messages.peer_request import PeerRequestBody
from ..messages.peer_revoke import PeerRevokeBody
from ..messages.scopes_changed import ScopesChangedBody
from ..peers.changing import record_acceptance, record_received_scopes
from ..peers.repinning import repin
from ..runtime import Federation
from .ended_trade import record_revocation


def handle_peer_request(federation: Federation, tx: Transaction, received: Received[PeerRequestBody]) -> None:
    """Does nothing: it is a repetition, and `requests.py` stored the request when it first came."""


def handle_peer_accept(federation: Federation, tx: Transaction, received: Received[PeerAcceptBody]) -> None:
    """Makes a peer of the instance that we invited. Raises `Refuse` for an answer to another invitation."""
    record_acceptance(federation, tx, received.peer, received.body.nonce, received.body.scopes_given)


def handle_scopes_changed(federation: Federation, tx: Transaction, received: Received[ScopesChangedBody]) -> None:
    """Notes what we may do at the peer's from now on."""
    record_received_scopes(federation, tx, received.peer, received.body.scopes_given)


def handle_peer_revoke(federation: Federation, tx: Transaction, received: Received[PeerRevokeBody]) -> None:
    """Ends the trade, because the peer's operator has ended it."""
    record_revocation(federation, tx, received.peer, received.body.reason)


def handle_key_update(federation: Federation, tx: Transaction, received: Received[KeyUpdateBody]) -> None:
    """Pins the peer's new document. Raises `Refuse` unless the root key that is pinned has signed it."""
    if not repin(tx, received.peer, received.body.document):
        raise Refuse("document", "The document does not follow the one that is pinned.")
