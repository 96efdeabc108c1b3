"""An HTTP client for URLs that strangers name.

It refuses plain HTTP, internal addresses and other ports unless the operator allows them. It follows no redirects, uses
no proxy of the environment, no cookies and no passwords from files, and aborts responses beyond its limits.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from ...base.errors import Problem
from ...instance.settings import OutboundSettings
from .guard import AddressGuard, RequestRefused, Resolve, ResponseLimits
from .guard import resolve as system_resolve

if TYPE_CHECKING:
    from ...instance import Instance


_LONGEST_URL = 2000  # characters
_PORTS = {"http": 80, "https": 443}
_PUBLIC = "1.1.1.1"  # stands for a host name, which is resolved only when it is dialled


def http_client(instance: Instance, *, seconds: float = 15.0, size: int = 1024 * 1024) -> httpx.Client:
    """A client for one or a few requests: ``with http_client(instance) as client: client.post(url, …)``.

    `seconds` limits each request as a whole, `size` the bytes of its response. Do not use it inside a transaction.
    Every failure is a `httpx.HTTPError`.
    """
    return guarded_client(instance.settings.outbound, ResponseLimits(seconds=seconds, size=size))


def guarded_client(
    settings: OutboundSettings,
    limits: ResponseLimits,
    *,
    resolve: Resolve = system_resolve,
    tls: ssl.SSLContext | None = None,
) -> httpx.Client:
    """A client with these settings and limits. `tls` None: trust the certificate authorities that browsers trust."""

    transport = GuardedTransport(AddressGuard(settings, resolve), limits, tls or _default_tls())
    headers = {"Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "Commensal"}
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, headers=headers)


def url_problem(instance: Instance, url: str, where: str) -> Problem | None:
    """What is wrong with a URL, as far as it can be seen without the network; `where` names its field. The guard checks
    the resolved addresses again at every request."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return Problem("url", "This is not an address of the web.", where)
    is_web = parsed.scheme in _PORTS and bool(parsed.host)
    if not is_web or len(url) > _LONGEST_URL or parsed.userinfo or parsed.fragment:
        return Problem("url", "Give an address like https://example.org/path, without a password in it.", where)
    is_name = not _is_address(parsed.host)
    if is_name and instance.settings.outbound.allow:
        return None
    try:
        guard = AddressGuard(instance.settings.outbound)
        guard.refuse(parsed.scheme, _PUBLIC if is_name else parsed.host, parsed.port or _PORTS.get(parsed.scheme, 0))
    except RequestRefused:
        text = "This address cannot be reached from here: it must begin with https, and be on the public Internet."
        return Problem("url", text, where)
    return None


def _is_address(host: str) -> bool:
    """Whether the host is an address in any notation: resolvers accept 127.1 and 0x7f000001, and no host name ends in a
    number."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last.isdecimal() or last[:2].lower() == "0x"


@cache
def _default_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


# Sends guarded requests: connects only to addresses that the guard has checked, within the limits of the request.


class GuardedTransport(httpx.BaseTransport):
    """Opens a connection for each request and closes it after the response, so that the limits hold for the request."""

    def __init__(self, guard: AddressGuard, limits: ResponseLimits, tls: ssl.SSLContext) -> None:
        self._guard, self._limits, self._tls = guard, limits, tls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in ("http", "https"):
            raise RequestRefused("Only https is spoken.", request=request)
        try:
            return self._send(request)
        except httpx.RequestError as refusal:  # raised by the guard
            refusal.request = request
            raise
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _as_httpx(error, request) from error

    def _send(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self._limits.seconds
        backend = _GuardedBackend(self._guard, request.url.scheme, deadline)
        core_request = httpcore.Request(
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
            answer = pool.handle_request(core_request)
            try:
                return self._read_response(answer, deadline)
            finally:
                answer.close()

    def _read_response(self, answer: httpcore.Response, deadline: float) -> httpx.Response:
        if len(answer.headers) > self._limits.headers:
            raise RequestRefused(f"The answer has more than {self._limits.headers} headers.")
        headers = httpx.Headers(answer.headers)
        body = _ResponseBody(headers.get("content-encoding", ""), self._limits.size)
        for part in answer.iter_stream():
            _seconds_left(deadline)
            body.add(part)
        for name in ("content-encoding", "content-length", "transfer-encoding"):  # they described the compressed body
            headers.pop(name, None)
        return httpx.Response(answer.status, headers=headers, content=bytes(body.content))


class _ResponseBody:
    """Collects the body of a response, and decompresses at most `limit` bytes of it."""

    def __init__(self, encoding: str, limit: int) -> None:
        if encoding.lower() not in ("", "identity", "gzip", "x-gzip"):
            raise RequestRefused(f"The answer is packed as {encoding[:40]}, which nobody asked for.")
        packed = "gzip" in encoding.lower()
        self.content, self._most, self._received = bytearray(), limit, 0
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None

    def add(self, part: bytes) -> None:
        self._received += len(part)
        if self._unpack is not None:
            try:
                part = self._unpack.decompress(part, self._most - len(self.content) + 1)
            except zlib.error as error:
                raise RequestRefused("The answer cannot be unpacked.") from error
        self.content += part
        if max(self._received, len(self.content)) > self._most:
            raise RequestRefused(f"The answer is larger than {self._most} bytes.")


def _as_httpx(error: Exception, request: httpx.Request) -> httpx.HTTPError:
    """The error of httpx with the same name as that of httpcore."""
    kind: type[httpx.RequestError] = getattr(httpx, type(error).__name__, httpx.TransportError)
    return kind(str(error) or type(error).__name__, request=request)


class _GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that the guard has checked. All reads and writes end by `deadline` (monotonic seconds)."""

    def __init__(self, guard: AddressGuard, scheme: str, deadline: float) -> None:
        self._guard, self._scheme, self._deadline, self._network = guard, scheme, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.NetworkStream:
        *earlier, last = self._guard.addresses(self._scheme, host, port, _seconds_left(self._deadline))
        for address in earlier:
            with suppress(httpcore.ConnectError):  # an address may be unreachable, such as IPv6 on a machine without it
                return self._dial(address, port, local_address, socket_options)
        return self._dial(last, port, local_address, socket_options)

    def _dial(
        self, address: str, port: int, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(address, port, _seconds_left(self._deadline), local_address, options)
        return _DeadlineStream(stream, self._deadline)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every operation must end by one common deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _seconds_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _seconds_left(self._deadline))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, _seconds_left(self._deadline)), self._deadline
        )

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _seconds_left(deadline: float) -> float:
    """Seconds until the deadline. Raises `httpcore.ReadTimeout` once it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("It took too long.")
    return seconds
