"""The keys of a peer: those of the document that was pinned when two humans agreed, and of no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from ..identity import InstanceDocument, read_document
from ..signing import PublicKey
from .values import Peer

_KNOWN = 512  # documents that a process keeps as it has read them


def pinned_document(peer: Peer) -> InstanceDocument:
    """The document as it was pinned, judged by the moment at which it was."""
    return _read(peer.document, peer.iri, peer.document_at)


def pinned_keys(peer: Peer) -> Mapping[str, PublicKey]:
    """By their ids; those that have ended are among them, and say so."""
    return pinned_document(peer).keys


@lru_cache(maxsize=_KNOWN)
def _read(document: str, iri: str, at: datetime) -> InstanceDocument:
    return read_document(document.encode(), iri, at)
