"""Decides which addresses belong to the public Internet. All others are internal to some network, perhaps ours.

It uses explicit lists, because `ipaddress.is_global` is not sufficient: it is true for multicast, and for addresses of
IPv6 that contain one of IPv4 (CVE-2026-46348 and CVE-2026-50131 are of that kind). Sources: the IANA registries of
special-purpose addresses (RFC 6890), and addresses that gateways translate: RFC 4291 (mapped, compatible), RFC 6052 and
RFC 8215 (NAT64), RFC 2765 (SIIT), RFC 3056 (6to4), RFC 5214 (ISATAP).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

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
