"""Fetches documents that plugins of other instances give by the hook `peer_documents`."""

from __future__ import annotations

from urllib.parse import urlencode

from ..peers.peers import Peer
from ..runtime import Federation
from ..signing import JsonObject, Unreadable, read_json
from .calling import address_of, fetch

LARGEST = 64 * 1024  # bytes of a document
LONGEST_IRI = 300


def fetch_document(
    federation: Federation, peer: Peer, name: str, about: str, *, largest: int = LARGEST
) -> JsonObject | None:
    """The document of this name about the thing of this IRI; None if the peer does not give it (any more). It has
    `largest` bytes at most.

    Not inside a transaction. Raises `Unreachable`, and `Unreadable` for any other answer.
    """
    url = address_of(peer, f"documents/{name}?{urlencode({'about': about})}")
    answer = fetch(federation, url, size=largest)
    if answer.status in (403, 404):
        return None
    if answer.status != 200:
        raise Unreadable("document", f"{peer.base} answered {answer.status}")
    return read_json(answer.body, largest)
