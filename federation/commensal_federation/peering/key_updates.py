"""Peers are told when our keys have changed: one was added, has ended, or was revoked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from commensal import Transaction

from ..delivery.outbox.outbox import post
from ..delivery.sync.states import state_digest
from ..identity import instance_document
from ..identity.keys import our_keys
from ..messages.key_update import KeyUpdateBody
from ..peers.peers import peer_by_id
from ..peers.tables import federation_peer
from ..runtime import Federation
from ..signing import canonical

_peer = federation_peer.c
_NOT_TOLD = select(_peer.id).where(_peer.state == "accepted", _peer.keys_told != bindparam("keys"))


def keys_now(tx: Transaction) -> str:
    """A digest of our keys, and of what became of each."""
    return state_digest(f"{one.name} {one.multikey} {one.ends_at} {one.revoked_at}" for one in our_keys(tx))


def not_told(tx: Transaction) -> Sequence[str]:
    """Peers that know our keys as they were."""
    return [row["id"] for row in tx.all(_NOT_TOLD, {"keys": keys_now(tx)})]


def tell_keys(federation: Federation, tx: Transaction, peer_id: str) -> None:
    """Sends the peer our document as it is now; nothing where it knows already."""
    known = keys_now(tx)
    telling = update(federation_peer).where(_peer.id == peer_id, _peer.keys_told != known)
    if tx.execute(telling, {"keys_told": known}).rowcount == 1 and peer_by_id(tx, peer_id).active:
        body = KeyUpdateBody(canonical(instance_document(federation, tx)).decode())
        post(federation, tx, peer_id, "KeyUpdate", body)
