"""A peer's document changes: only what the pinned root key has signed takes the place of what is pinned."""

from __future__ import annotations

from sqlalchemy import update

from commensal import Transaction

from ..identity import read_document, same_or_rotated
from ..identity.read import BadDocument
from .pinned import pinned_document
from .tables import federation_peer
from .values import Peer


def repin(tx: Transaction, peer: Peer, text: str) -> bool:
    """False where the document is not right, or does not follow the pinned one: then that stays."""
    try:
        new = read_document(text.encode(), peer.iri, tx.now)
    except BadDocument:
        return False
    if not same_or_rotated(pinned_document(peer), new):
        return False
    values = {"document": text, "document_at": tx.now, "name": new.name}
    tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id), values)
    return True
