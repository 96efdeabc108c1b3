"""Writes peers: new ones, changes by operators and by their own messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select, update

from commensal import Invalid, Problem, Transaction

from ..identity import InstanceDocument
from ..messages.types import Refuse
from ..runtime import Federation
from .peers import Peer
from .tables import federation_peer

_peer = federation_peer.c


def new_peer(tx: Transaction, document: InstanceDocument, text: str, **values: object) -> str:
    """Inserts an instance of which only the document is known. Returns its id."""
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
    """Sets these columns, for changes by operators or agreements, and increments the version."""
    statement = update(federation_peer).where(_peer.id == peer_id)
    tx.execute(statement.values(**values, version=_peer.version + 1))


def record_acceptance(federation: Federation, tx: Transaction, peer: Peer, nonce: str, scopes: Sequence[str]) -> None:
    """Records that the invited peer has accepted. Raises `Refuse` for an answer to another invitation."""
    if tx.value(select(_peer.nonce).where(_peer.id == peer.id)) != nonce:
        raise Refuse("nonce", "This accepts an invitation that was not sent.")
    accepted_at = peer.accepted_at or tx.now
    change_peer(
        tx, peer.id, state="accepted", accepted_at=accepted_at, scopes_received=known_scopes(federation, scopes)
    )


def record_received_scopes(federation: Federation, tx: Transaction, peer: Peer, scopes: Sequence[str]) -> None:
    """Records the scopes that the peer now grants us."""
    change_peer(tx, peer.id, scopes_received=known_scopes(federation, scopes))


def known_scopes(federation: Federation, scopes: Collection[str]) -> list[str]:
    """The scopes that this version knows, sorted; a peer of a newer version may send others."""
    return sorted(set(scopes) & set(federation.scopes))


def read_scopes(federation: Federation, scopes: Collection[str], where: str) -> list[str]:
    """The scopes, sorted and distinct. Raises `Invalid` for an unknown one."""
    unknown_scopes = sorted(set(scopes) - set(federation.scopes))
    if unknown_scopes:
        values = {"unknown": ", ".join(unknown_scopes), "known": ", ".join(federation.scopes)}
        raise Invalid([Problem("scope", "{unknown} is not a scope; known are {known}.", where, values)])
    return sorted(set(scopes))
