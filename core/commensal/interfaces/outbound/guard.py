"""The guard: may this server ask at that address, and which address is dialled?

A name is resolved once, every address it has is checked, and the one that was checked is the one that is dialled: a
name that answers otherwise a moment later (DNS rebinding) gains nothing. Host header, SNI and the certificate stay
those of the name.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import httpx

from ...instance.settings import OutboundSettings
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
        raise httpx.ConnectTimeout(f"{host} was not found in time.") from None
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} was not found.") from error
