"""Sends guarded requests: connects only to addresses that the guard has checked, within the limits of the request."""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from .guard import AddressGuard, RequestRefused
from .limits import ResponseLimits


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
