"""Changes of a peer that its own messages cause, and the row of a new one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select, update

from commensal import Invalid, Problem, Transaction

from ..identity import InstanceDocument
from ..messages.types import Refuse
from .tables import federation_peer
from .values import SCOPES, Peer

_peer = federation_peer.c


def new_peer(tx: Transaction, document: InstanceDocument, text: str, **values: object) -> str:
    """The row of an instance of which nothing is known but its document. Returns its id."""
    row = {
        "id": tx.new_id(),
        "iri": document.iri,
        "name": document.name,
        "document": text,
        "document_at": tx.now,
        "looked_at": tx.now,
        "scopes_given": [],
        "scopes_received": [],
        "limits": {},
        "request": "",
        "epoch_seen": 0,
        "created_at": tx.now,
        "keys_told": "",
        "recovering": False,
        "breaker": "closed",
        "failures": 0,
        "version": 1,
        **values,
    }
    tx.execute(insert(federation_peer), row)
    return str(row["id"])


def change_peer(tx: Transaction, peer_id: str, **values: object) -> None:
    """Sets what operators and agreements set, and raises the version by one."""
    changed = update(federation_peer).where(_peer.id == peer_id)
    tx.execute(changed.values(**values, version=_peer.version + 1))


def accepted_by_peer(tx: Transaction, peer: Peer, nonce: str, scopes: Sequence[str]) -> None:
    """The peer that we invited has agreed. Raises `Refuse` for an answer to another invitation."""
    if tx.value(select(_peer.nonce).where(_peer.id == peer.id)) != nonce:
        raise Refuse("nonce", "This accepts an invitation that was not sent.")
    since = peer.accepted_at or tx.now
    change_peer(tx, peer.id, state="accepted", accepted_at=since, scopes_received=known_scopes(scopes))


def scopes_told(tx: Transaction, peer: Peer, scopes: Sequence[str]) -> None:
    """The peer has changed what we may do there."""
    change_peer(tx, peer.id, scopes_received=known_scopes(scopes))


def known_scopes(scopes: Collection[str]) -> list[str]:
    """Those that we know, in order: a newer peer may give more."""
    return sorted(set(scopes) & set(SCOPES))


def read_scopes(scopes: Collection[str], where: str) -> list[str]:
    """In order. Raises `Invalid` for one that does not exist."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        values = {"unknown": ", ".join(unknown), "known": ", ".join(SCOPES)}
        raise Invalid([Problem("scope", "{unknown} is no scope; known are {known}.", where, values)])
    return sorted(set(scopes))
