"""An HTTP client for addresses that strangers name. What it does not do is the point:

no plain HTTP and no inner addresses but those the operator allows, no other ports, no redirects, no proxies from the
environment, no cookies or passwords from files, and no answer that is larger or slower than its limits say.
"""

from __future__ import annotations

import ssl
import time
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import httpcore
import httpx

from ..errors import Problem
from ..instance.settings import OutboundSettings
from .guard import Guard, GuardedBackend, Refused, Resolve, left
from .guard import resolve as by_the_system

if TYPE_CHECKING:
    from ..instance import Instance

_LONGEST_URL = 2000  # characters
_PORTS = {"http": 80, "https": 443}
_PUBLIC = "1.1.1.1"  # what a name passes for until it is dialled


@dataclass(frozen=True, kw_only=True)
class Limits:
    """seconds: for all of a request, from the look-up of the name to the last byte of the answer
    size:      bytes of an answer's body, as it is sent and after it was unpacked
    headers:   lines of an answer's head
    """

    seconds: float = 15.0
    size: int = 1024 * 1024
    headers: int = 100


def http_client(instance: Instance, *, seconds: float = 15.0, size: int = 1024 * 1024) -> httpx.Client:
    """A client for one or a few requests: ``with http_client(instance) as client: client.post(url, …)``.

    `seconds` limits each request as a whole, `size` the bytes of its answer. Not inside a transaction. All that goes
    wrong is a `httpx.HTTPError`.
    """
    return guarded_client(instance.settings.outbound, Limits(seconds=seconds, size=size))


def guarded_client(
    settings: OutboundSettings, limits: Limits, *, resolve: Resolve = by_the_system, tls: ssl.SSLContext | None = None
) -> httpx.Client:
    """The same from its parts. `tls` None: certificates are those that browsers trust."""
    transport = GuardedTransport(Guard(settings, resolve), limits, tls or _trusted())
    headers = {"Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "Commensal"}
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, headers=headers)


def url_problem(instance: Instance, url: str, where: str) -> Problem | None:
    """What is wrong with an address that somebody names, as far as it shows without asking the network. The guard
    judges it again, by what the name stands for, whenever it is dialled."""
    try:
        read = httpx.URL(url)
    except httpx.InvalidURL:
        return Problem("url", "This is no address of the web.", where)
    known = read.scheme in _PORTS and bool(read.host)
    if not known or len(url) > _LONGEST_URL or read.userinfo or read.fragment:
        return Problem("url", "Give an address like https://example.org/path, without a password in it.", where)
    named = not _is_address(read.host)
    if named and instance.settings.outbound.allow:
        return None
    try:
        guard = Guard(instance.settings.outbound)
        guard.refuse(read.scheme, _PUBLIC if named else read.host, read.port or _PORTS.get(read.scheme, 0))
    except Refused:
        text = "This address cannot be reached from here: it must begin with https, and be on the public Internet."
        return Problem("url", text, where)
    return None


class GuardedTransport(httpx.BaseTransport):
    """One connection for each request, which ends when the answer was read: its limits are those of the request."""

    def __init__(self, guard: Guard, limits: Limits, tls: ssl.SSLContext) -> None:
        self._guard, self._limits, self._tls = guard, limits, tls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in ("http", "https"):
            raise Refused("Only https is spoken.", request=request)
        try:
            return self._ask(request)
        except Refused as refused:
            refused.request = request
            raise
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _as_httpx(error, request) from error

    def _ask(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self._limits.seconds
        backend = GuardedBackend(self._guard, request.url.scheme, deadline)
        sent = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
        )
        with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool:
            answer = pool.handle_request(sent)
            try:
                return self._answer(answer, deadline)
            finally:
                answer.close()

    def _answer(self, answer: httpcore.Response, deadline: float) -> httpx.Response:
        if len(answer.headers) > self._limits.headers:
            raise Refused(f"The answer has more than {self._limits.headers} headers.")
        headers = httpx.Headers(answer.headers)
        body = _Body(headers.get("content-encoding", ""), self._limits.size)
        for part in answer.iter_stream():
            left(deadline)
            body.add(part)
        for name in ("content-encoding", "content-length", "transfer-encoding"):  # they were of the packed body
            headers.pop(name, None)
        return httpx.Response(answer.status, headers=headers, content=bytes(body.read))


class _Body:
    """An answer's body while it comes in, unpacked no further than it may be large."""

    def __init__(self, encoding: str, most: int) -> None:
        if encoding.lower() not in ("", "identity", "gzip", "x-gzip"):
            raise Refused(f"The answer is packed as {encoding[:40]}, which nobody asked for.")
        packed = "gzip" in encoding.lower()
        self.read, self._most, self._came = bytearray(), most, 0
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None

    def add(self, part: bytes) -> None:
        self._came += len(part)
        if self._unpack is not None:
            try:
                part = self._unpack.decompress(part, self._most - len(self.read) + 1)
            except zlib.error as error:
                raise Refused("The answer cannot be unpacked.") from error
        self.read += part
        if max(self._came, len(self.read)) > self._most:
            raise Refused(f"The answer is larger than {self._most} bytes.")


def _as_httpx(error: Exception, request: httpx.Request) -> httpx.HTTPError:
    """httpx names its errors as httpcore does."""
    kind: type[httpx.RequestError] = getattr(httpx, type(error).__name__, httpx.TransportError)
    return kind(str(error) or type(error).__name__, request=request)


def _is_address(host: str) -> bool:
    """A number in whatever spelling: a resolver takes 127.1 and 0x7f000001 for addresses, no name ends in a number."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdecimal() or last[:2].lower() == "0x"


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
