"""Who is calling, and whether it may: everything that can be refused before a message is looked at.

In this order: how large, how often this address was refused, whether the key is of a peer, and when all of the body is
there, the signature, and how much the peer has sent already. What costs nothing is asked first, so that rubbish at full
speed costs little.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ...peers.limits import Windows, windows_of
from ...peers.peers import Peer, peer_by_iri, pinned_keys
from ...runtime import Federation
from ...signing import BadSignature, verify_head, verify_request
from ...signing.http_signature import SKEW, created_at
from ...signing.profile import write_moment
from ...transport import Answer, Request
from ..clocks import note_clock_of_request
from ..sync.refreshing import enqueue_refresh
from ..values import UNKNOWN_PEER

LARGEST = 8 * 1024 * 1024  # bytes of a body
REFUSED = 60  # requests of one address in a minute, after which it is not listened to
_KEY_ID = re.compile(r'keyid="([!#-\[\]-~]{1,500})"')

Headers = Sequence[tuple[str, str]]


class Denied(Exception):
    """The whole request is refused; `details` go into the answer beside code and text."""

    def __init__(self, status: int, code: str, text: str, **details: str | int) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.text, self.details = status, code, text, details


@dataclass(frozen=True)
class Admitted:
    """A request that a peer has signed. `until` is the moment until which its nonce must be kept."""

    peer: Peer
    key_id: str
    nonce: str
    until: datetime


def refuse_at_the_door(federation: Federation, headers: Headers, size: int, address: str) -> None:
    """Refuses what can be refused without the database or a thread. Raises `Denied`."""
    _refuse_size(size)
    if not _caller(headers):
        _refuse_refused(federation, address)


def admit(federation: Federation, head: Request, size: int, address: str) -> Peer:
    """Checks a request before its body is read. `size` is its Content-Length, 0 if it has none. Raises `Denied`."""
    refuse_at_the_door(federation, head.headers, size, address)
    now = federation.instance.clock.now()
    iri = _caller(head.headers)
    with federation.instance.store.read() as tx:
        peer = peer_by_iri(tx, iri) if iri else None
    # Others may share the address: who proves to be a peer answers for its own refusals, and not for theirs.
    is_proven = peer is not None and _is_spent(federation, address) and _is_signed(peer, head, now)
    _refuse_refused(federation, f"{address} {iri}" if is_proven else address)
    if peer is None:
        note_refusal(federation, address)
        raise Denied(401, UNKNOWN_PEER, "keyid is of no known peer", server_time=write_moment(now))
    _refuse_ended(peer)
    _refuse_spent(federation, peer, now)
    return peer


def prove_caller(federation: Federation, peer: Peer, request: Request, address: str) -> Admitted:
    """Verifies the signature of a request, whose body has been read, byte for byte. Raises `Denied`."""
    _refuse_size(len(request.body))
    now = federation.instance.clock.now()
    try:
        keys = pinned_keys(peer)
        verified = verify_request(request.method, request.url, request.headers, request.body, keys.get, now)
    except BadSignature as error:
        note_refusal(federation, address)
        if _is_signed(peer, request, now):
            note_refusal(federation, f"{address} {peer.iri}")
        if error.code in ("future", "expired"):
            _note_clock(federation, peer, request)
        if error.code in ("unknown_key", "expired_key"):
            federation.instance.store.transact(lambda tx: enqueue_refresh(tx, peer))
        raise Denied(401, error.code, error.text, server_time=write_moment(now)) from error
    return Admitted(peer, verified.keyid, verified.nonce, verified.expires + timedelta(seconds=SKEW))


def count_sent(federation: Federation, peer: Peer, messages: int, size: int) -> None:
    """Counts the messages and bytes of the peer in this minute. Raises `Denied` above its limits."""
    now, name, windows = federation.instance.clock.now(), f"sent {peer.id}", windows_of(federation.instance)
    number, total = windows.add(name, now, number=max(1, messages), size=size)
    if number > peer.limits.messages or total > peer.limits.size:
        raise _too_many(windows, name, now)


def note_refusal(federation: Federation, who: str) -> None:
    """Counts a refusal of a network, or of a peer that has proven itself there."""
    windows_of(federation.instance).add(f"refused {who}", federation.instance.clock.now())


def _is_spent(federation: Federation, who: str) -> bool:
    now = federation.instance.clock.now()
    return windows_of(federation.instance).counted(f"refused {who}", now)[0] >= REFUSED


def _refuse_refused(federation: Federation, who: str) -> None:
    if _is_spent(federation, who):
        text = "too many requests of this address were refused"
        wait = windows_of(federation.instance).wait(f"refused {who}", federation.instance.clock.now())
        raise Denied(429, "too_many", text, retry_after=wait)


def _is_signed(peer: Peer, head: Request, now: datetime) -> bool:
    """Whether a key of the peer has signed the head of a request."""
    has_body = head.method not in ("GET", "HEAD")
    try:
        verify_head(head.method, head.url, head.headers, pinned_keys(peer).get, now, has_body=has_body)
    except BadSignature:
        return False
    return True


def _note_clock(federation: Federation, peer: Peer, request: Request) -> None:
    """Tells of the peer's clock if the signature is good at the time that it names."""
    created = created_at(request.headers)
    if created is not None and _is_signed(peer, request, created):
        note_clock_of_request(federation, peer, created)


def _refuse_spent(federation: Federation, peer: Peer, now: datetime) -> None:
    """Refuses a peer that has used up its limit for this minute before its signature is verified. Only proven requests
    count, so nobody else can use the limit up."""
    name, windows = f"sent {peer.id}", windows_of(federation.instance)
    number, total = windows.counted(name, now)
    if number > peer.limits.messages or total > peer.limits.size:
        raise _too_many(windows, name, now)


def _too_many(windows: Windows, name: str, now: datetime) -> Denied:
    return Denied(429, "too_many", "more in a minute than this peer may send", retry_after=windows.wait(name, now))


def _refuse_size(size: int) -> None:
    if size > LARGEST:
        raise Denied(413, "too_large", f"more than {LARGEST} bytes")


def _refuse_ended(peer: Peer) -> None:
    if peer.state in ("suspended", "revoked"):
        raise Denied(403, "peer", f"the peer is {peer.state} here")


def _caller(headers: Headers) -> str:
    """Returns the instance that the request claims to come from; its signature is verified later."""
    signature_input = next((value for name, value in headers if name == "signature-input"), "")
    match = _KEY_ID.search(signature_input)
    return match[1].partition("#")[0] if match else ""


# Refusals of whoever asks too often are kept back for a moment: at full speed, rubbish then costs next to nothing.
#
# What an answer costs cannot be made as small as what a request costs its sender. So the sender is made to wait: a
# connection that waits costs some kilobytes and no processor.

SECONDS = 5.0  # shorter than any sender's patience
MOST = 256  # of one address at once; what is more is answered and its connection closed
MOST_OF_ALL = 4096
_CLOSE = ("connection", "close")


class HeldBack:
    """Counts the refusals that are kept back in this process. Only the thread of the loop touches it."""

    def __init__(self) -> None:
        self._waiting = Counter[str]()

    async def keep(self, answer: Answer, address: str) -> Answer:
        """Returns the answer after a delay, and closes the connection."""
        closing = replace(answer, headers=[*answer.headers, _CLOSE])
        if self._waiting[address] >= MOST or self._waiting.total() >= MOST_OF_ALL:
            return closing
        self._waiting[address] += 1
        try:
            await asyncio.sleep(SECONDS)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]
        return closing
