"""Which addresses belong to the Internet at large. Everything else is somebody's inside, perhaps ours.

Explicit lists, because `ipaddress.is_global` is no guard: it is true for multicast, and for forms of IPv6 that carry an
IPv4 address in them (CVE-2026-46348 and CVE-2026-50131 are of that kind). Sources: the IANA registries of
special-purpose addresses (RFC 6890), and what gateways translate: RFC 4291 (mapped, compatible), RFC 6052 and RFC 8215
(NAT64), RFC 2765 (SIIT), RFC 3056 (6to4), RFC 5214 (ISATAP).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_V4 = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_V6_GLOBAL = IPv6Network("2000::/3")  # all that is given out (RFC 4291); what is not in it is special or not yet given
_V6 = tuple(
    IPv6Network(one)
    for one in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")  # IETF protocols, Teredo; documentation
)
# Forms that carry an IPv4 address: where they begin, and how far from the right it stands, in bits.
_CARRYING = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # SIIT
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("2002::/16"), 80),  # 6to4
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # the upper half of the interface's id


def is_public(address: str) -> bool:
    """Whether the address, as the resolver wrote it, is one of the Internet at large. False for what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return _v4(found) if isinstance(found, IPv4Address) else _v6(found)


def _v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _V4)


def _v6(address: IPv6Address) -> bool:
    number = int(address)
    for network, right in _CARRYING:
        if address in network:
            return _v4(IPv4Address(number >> right & 0xFFFFFFFF))
    if number >> 32 & 0xFFFFFFFF in _ISATAP and not _v4(IPv4Address(number & 0xFFFFFFFF)):
        return False
    return address in _V6_GLOBAL and not any(address in network for network in _V6)
