"""Decides whether this server may connect to a host, and to which address.

A name is resolved once, all its addresses are checked, and the connection uses a checked address: a name that resolves
differently a moment later (DNS rebinding) gains nothing. Host header, SNI and certificate remain those of the name.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import httpx

from ...base.allowed_networks import read_allowed
from ...instance.settings import OutboundSettings
from .addresses import is_public

Resolve = Callable[[str, int], Sequence[str]]  # host and port to addresses; raises OSError if there are none


class RequestRefused(httpx.RequestError):
    """The guard has refused a request before it was sent, or its response before it was returned."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host from the system's resolver, in its order, without duplicates."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[4][0]) for address in answers))


class AddressGuard:
    """Checks addresses against the operator's settings; `resolve` resolves names."""

    def __init__(self, settings: OutboundSettings, resolve: Resolve = resolve) -> None:
        self._allow, self._ports, self._resolve = read_allowed(settings.allow), settings.ports, resolve

    def addresses(self, scheme: str, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses to try in turn. Raises `RequestRefused` if any of them may not be reached."""
        addresses = _resolve_in_time(seconds, self._resolve, host, port)
        for address in addresses:
            self.refuse(scheme, address, port, shown=host)
        if not addresses:
            raise RequestRefused(f"{host} has no address.")
        return addresses

    def refuse(self, scheme: str, address: str, port: int, *, shown: str = "") -> None:
        """Raises `RequestRefused` unless the address is public and is reached by https on a permitted port, or the
        operator allows it. The error tells `shown`, if given: whoever named a host must not learn from it which address
        the host has inside."""
        plain = address.partition("%")[0]  # without the zone of a link-local address
        try:
            if any(allowed.contains(plain, port) for allowed in self._allow):
                return
        except ValueError:
            raise RequestRefused(f"{address} is not an address.") from None
        if not is_public(plain):
            raise RequestRefused(f"{shown or plain} is not an address of the public Internet.")
        if scheme != "https":
            raise RequestRefused("Only https is spoken.")
        if port not in self._ports:
            raise RequestRefused(f"Port {port} is not used.")


def _resolve_in_time(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """Resolves the host in a thread that can be abandoned, because the system's resolver has no time limit."""
    answer: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(host, port))
        except BaseException as error:  # raised again in the waiting thread
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True, name="resolver").start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise httpx.ConnectTimeout(f"{host} was not found in time.") from None
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} was not found.") from error
