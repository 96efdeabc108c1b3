"""The guard: may this server ask at that address, and which address is dialled?

A name is resolved once, every address it has is checked, and the one that was checked is the one that is dialled: a
name that answers otherwise a moment later (DNS rebinding) gains nothing. Host header, SNI and the certificate stay
those of the name.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import httpcore
import httpx

from ..instance.settings import OutboundSettings
from .addresses import is_public
from .allowed import read_allowed

Resolve = Callable[[str, int], Sequence[str]]  # a name and a port to addresses; raises OSError where there are none


class Refused(httpx.RequestError):
    """The guard has refused a request or its answer, so nothing was sent or nothing is known of it."""


def resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class Guard:
    """What the operator allows, and how names are resolved."""

    def __init__(self, settings: OutboundSettings, resolve: Resolve = resolve) -> None:
        self._allow, self._ports, self._resolve = read_allowed(settings.allow), settings.ports, resolve

    def addresses(self, scheme: str, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses to dial, one after the other. Raises `Refused` where one of them may not be reached."""
        addresses = _within(seconds, self._resolve, host, port)
        for one in addresses:
            self.refuse(scheme, one, port)
        if not addresses:
            raise Refused(f"{host} has no address.")
        return addresses

    def refuse(self, scheme: str, address: str, port: int) -> None:
        """Raises `Refused` unless the address may be reached in this way: by https on a usual port if it is public,
        by http too if the operator allows it."""
        plain = address.partition("%")[0]  # without the zone of a link-local address
        try:
            if any(one.holds(plain, port) for one in self._allow):
                return
        except ValueError:
            raise Refused(f"{address} is no address.") from None
        if not is_public(plain):
            raise Refused(f"{plain} is not an address of the public Internet.")
        if scheme != "https":
            raise Refused("Only https is spoken.")
        if port not in self._ports:
            raise Refused(f"Port {port} is not used.")


class GuardedBackend(httpcore.NetworkBackend):
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
        *others, last = self._guard.addresses(self._scheme, host, port, left(self._deadline))
        for address in others:
            with suppress(httpcore.ConnectError):  # a machine without IPv6 still finds those that have both
                return self._dial(address, port, local_address, socket_options)
        return self._dial(last, port, local_address, socket_options)

    def _dial(
        self, address: str, port: int, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(address, port, left(self._deadline), local_address, options)
        return _Timed(stream, self._deadline)


class _Timed(httpcore.NetworkStream):
    """A stream whose every step gets only what is left of the time for all."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, left(self._deadline))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left(self._deadline)), self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def left(deadline: float) -> float:
    """Seconds until the deadline. Raises `httpcore.ReadTimeout` where there are none: a socket takes 0 for ever."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("It took too long.")
    return seconds


def _within(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The system's resolver knows no time limit, so it is asked in a thread that may be left behind."""
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(host, port))
        except BaseException as error:  # the one who waits decides
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="resolver").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise httpcore.ConnectTimeout(f"{host} was not found in time.") from None
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} was not found.") from error
