"""Calls a peer: every request is signed anew, so that it proves who is calling now."""

from __future__ import annotations

from ..identity import current_key
from ..peers.pinned import pinned_document
from ..peers.values import Peer
from ..runtime import Federation
from ..signing import sign_request
from ..transport import Answer, Request
from .clocks import note_clock_of_answer

SECONDS = 20.0
NDJSON = "application/x-ndjson"
ENVELOPE = "application/ld+json"
_ANSWER = 256 * 1024  # bytes


def send(federation: Federation, url: str, body: bytes, kind: str, *, seconds: float = SECONDS) -> Answer:
    """Posts a body of this media type. Not inside a transaction. Raises `Unreachable`."""
    return _call(federation, Request("POST", url, [("content-type", kind)], body), seconds, _ANSWER)


def fetch(federation: Federation, url: str, *, size: int, seconds: float = SECONDS) -> Answer:
    """Gets lines of JSON, at most `size` bytes. Not inside a transaction. Raises `Unreachable`."""
    return _call(federation, Request("GET", url, [("accept", NDJSON)]), seconds, size)


def inbox_of(peer: Peer) -> str:
    return pinned_document(peer).inbox


def address_of(peer: Peer, name: str) -> str:
    """One of the other addresses that this protocol fixes."""
    return f"{peer.base}/-/federation/{name}"


def _call(federation: Federation, request: Request, seconds: float, size: int) -> Answer:
    instance = federation.instance
    with instance.store.read() as tx:
        key, now = current_key(federation, tx), tx.now
    signed = sign_request(request, key, now, instance.ids.secret())
    answer = federation.transport.send(signed, seconds=seconds, size=size)
    note_clock_of_answer(federation, request.url, answer)
    return answer
