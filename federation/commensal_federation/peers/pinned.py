"""The keys of a peer: only those of the pinned document, to which two operators agreed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from ..identity import InstanceDocument, read_document
from ..signing import PublicKey
from .values import Peer

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
