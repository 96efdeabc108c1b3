"""How a guarded request goes out and its answer comes in: dialled as the guard says, within the limits it has."""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from .guard import Guard, Refused
from .limits import Limits


class GuardedTransport(httpx.BaseTransport):
    """One connection for each request, which ends when the answer was read: its limits are those of the request."""

    def __init__(self, guard: Guard, limits: Limits, tls: ssl.SSLContext) -> None:
        self._guard, self._limits, self._tls = guard, limits, tls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in ("http", "https"):
            raise Refused("Only https is spoken.", request=request)
        try:
            return self._ask(request)
        except httpx.RequestError as refused:  # by the guard, before anything was sent
            refused.request = request
            raise
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _as_httpx(error, request) from error

    def _ask(self, request: httpx.Request) -> httpx.Response:
        deadline = time.monotonic() + self._limits.seconds
        backend = _GuardedBackend(self._guard, request.url.scheme, deadline)
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
            _left(deadline)
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


class _GuardedBackend(httpcore.NetworkBackend):
    """Dials what the guard says. All that is read and written through it must be over at `deadline` (monotonic)."""

    def __init__(self, guard: Guard, scheme: str, deadline: float) -> None:
        self._guard, self._scheme, self._deadline, self._plain = guard, scheme, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        *others, last = self._guard.addresses(self._scheme, host, port, _left(self._deadline))
        for address in others:
            with suppress(httpcore.ConnectError):  # a machine without IPv6 still finds those that have both
                return self._dial(address, port, local_address, socket_options)
        return self._dial(last, port, local_address, socket_options)

    def _dial(
        self, address: str, port: int, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(address, port, _left(self._deadline), local_address, options)
        return _Timed(stream, self._deadline)


class _Timed(httpcore.NetworkStream):
    """A stream whose every step gets only what is left of the time for all."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises `httpcore.ReadTimeout` where there are none: a socket takes 0 for ever."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("It took too long.")
    return seconds
