"""Decides whether this server may connect to a host, and to which address.

A name is resolved once, all its addresses are checked, and the connection uses a checked address: a name that resolves
differently a moment later (DNS rebinding) gains nothing. Host header, SNI and certificate remain those of the name.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from ...base.networks import read_allowed
from ...instance.settings import OutboundSettings

# Decides which addresses belong to the public Internet. All others are internal to some network, perhaps ours.
#
# It uses explicit lists, because `ipaddress.is_global` is not sufficient: it is true for multicast, and for addresses
# of IPv6 that contain one of IPv4 (CVE-2026-46348 and CVE-2026-50131 are of that kind). Sources: the IANA registries
# of special-purpose addresses (RFC 6890), and addresses that gateways translate: RFC 4291 (mapped, compatible), RFC
# 6052 and RFC 8215 (NAT64), RFC 2765 (SIIT), RFC 3056 (6to4), RFC 5214 (ISATAP).

_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_V6_GLOBAL = IPv6Network("2000::/3")  # all that is allocated (RFC 4291)
_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
    )  # IETF protocols, Teredo; documentation
)
# Networks of addresses that contain an IPv4 address, and how many bits are to the right of it.
_EMBEDDING = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # SIIT
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of the interface identifier


def is_public(address: str) -> bool:
    """Whether the address, as the resolver wrote it, belongs to the public Internet. False for a malformed address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _v4(parsed) if isinstance(parsed, IPv4Address) else _v6(parsed)


def _v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _V4)


def _v6(address: IPv6Address) -> bool:
    number = int(address)
    for network, shift in _EMBEDDING:
        if address in network:
            return _v4(IPv4Address(number >> shift & 0xFFFFFFFF))
    if number >> 32 & 0xFFFFFFFF in _ISATAP and not _v4(IPv4Address(number & 0xFFFFFFFF)):
        return False
    return address in _V6_GLOBAL and not any(address in network for network in _V6)


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


# The limits of a response from outside.


@dataclass(frozen=True, kw_only=True)
class ResponseLimits:
    """seconds: for a whole request, from the DNS look-up to the last byte of the response
    size:      bytes of the response's body, both compressed and decompressed
    headers:   number of the response's header lines
    """

    seconds: float = 15.0
    size: int = 1024 * 1024
    headers: int = 100
