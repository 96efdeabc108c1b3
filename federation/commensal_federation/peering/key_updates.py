"""Sends peers our document when our keys have changed: one was added, has ended, or was revoked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from commensal import Transaction

from ..delivery.outbox.outbox import post
from ..delivery.sync.states import state_digest
from ..identity import instance_document
from ..identity.keys import our_keys
from ..messages.peering import KeyUpdate
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import canonical

_peer = federation_peer.c
_OLD_KEYS = select(_peer.id).where(_peer.state == "accepted", _peer.keys_told != bindparam("keys"))


def keys_digest(tx: Transaction) -> str:
    """A digest of our keys and the state of each."""
    return state_digest(f"{key.name} {key.multikey} {key.ends_at} {key.revoked_at}" for key in our_keys(tx))


def peers_with_old_keys(tx: Transaction) -> Sequence[str]:
    """Ids of peers that were last sent older keys."""
    return [row["id"] for row in tx.all(_OLD_KEYS, {"keys": keys_digest(tx)})]


def send_key_update(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Sends the peer our current document, unless it was sent these keys already."""
    digest = keys_digest(tx)
    statement = update(federation_peer).where(_peer.id == peer_id, _peer.keys_told != digest)
    if tx.execute(statement, {"keys_told": digest}).rowcount == 1 and peer_by_id(tx, peer_id).active:
        body = KeyUpdate(canonical(instance_document(federation, tx)).decode())
        post(federation, tx, peer_id, "KeyUpdate", body)
