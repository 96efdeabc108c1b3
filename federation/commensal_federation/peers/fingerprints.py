"""The fingerprint of a peer's root key, which two operators compare over the telephone."""

from __future__ import annotations

from commensal import Conflict

from ..identity import InstanceDocument, fingerprint_of
from .pinned import pinned_document
from .values import Peer


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
