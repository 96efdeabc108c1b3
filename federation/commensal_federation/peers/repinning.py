"""Replaces a peer's pinned document with a newer one that the same root key has signed."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction

from ..identity import read_document, same_or_rotated
from ..identity.read import BadDocument
from .pinned import pinned_document
from .tables import federation_peer
from .values import Peer


def repin(tx: Transaction, peer: Peer, text: str) -> bool:
    """Pins the document `text`. Returns False and changes nothing if it is invalid or no successor of the old one."""
    try:
        new = read_document(text.encode(), peer.iri, tx.now)
    except BadDocument:
        return False
    if not same_or_rotated(pinned_document(peer), new):
        return False
    values = {"document": text, "document_at": tx.now, "name": new.name}
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id), values)
    return True
