"""The fingerprint of a peer's root key: what two operators read to each other over the telephone."""

from __future__ import annotations

from commensal import Conflict

from ..identity import InstanceDocument, fingerprint_of
from ..peers.pinned import pinned_document
from ..peers.values import Peer


def fingerprint(peer: Peer) -> str:
    """Eight groups of five digits."""
    return _of(pinned_document(peer))


def refuse_other_fingerprint(document: InstanceDocument, wanted: str) -> None:
    """Raises `Conflict` where the document does not have the fingerprint that a human was told; empty: none was."""
    digits = "".join(wanted.split())
    if digits and digits != _of(document).replace(" ", ""):
        raise Conflict("peer_fingerprint", "{name} has another fingerprint than that one.", name=document.name)


def _of(document: InstanceDocument) -> str:
    return fingerprint_of(document.iri, document.root.multikey)
