"""The keys of a peer: only those of the pinned document, to which two operators agreed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from sqlalchemy import update

from commensal import Conflict, Transaction

from ..identity import InstanceDocument, fingerprint_of, read_document, same_or_rotated
from ..identity.read import BadDocument
from ..signing import PublicKey
from .peers import Peer
from .tables import federation_peer

_CACHED = 512  # parsed documents kept by a process


def pinned_document(peer: Peer) -> InstanceDocument:
    """The pinned document, checked as of the time when it was pinned."""
    return _read(peer.document, peer.iri, peer.document_at)


def pinned_keys(peer: Peer) -> Mapping[str, PublicKey]:
    """The peer's keys by id, ended ones included; those have `expires` or `revoked_at`."""
    return pinned_document(peer).keys


@lru_cache(maxsize=_CACHED)
def _read(document: str, iri: str, pinned_at: datetime) -> InstanceDocument:
    return read_document(document.encode(), iri, pinned_at)


# The fingerprint of a peer's root key, which two operators compare over the telephone.


def fingerprint(peer: Peer) -> str:
    """The peer's fingerprint: eight groups of five digits."""
    return document_fingerprint(pinned_document(peer))


def refuse_other_fingerprint(document: InstanceDocument, expected: str) -> None:
    """Raises `Conflict` if the document has another fingerprint than `expected`; an empty one is not checked."""
    digits = "".join(expected.split())
    if digits and digits != document_fingerprint(document).replace(" ", ""):
        raise Conflict("peer_fingerprint", "{name} has another fingerprint than that one.", name=document.name)


def document_fingerprint(document: InstanceDocument) -> str:
    """The fingerprint of the root key in a document: eight groups of five digits."""
    return fingerprint_of(document.iri, document.root.multikey)


# Replaces a peer's pinned document with a newer one that the same root key has signed.


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
