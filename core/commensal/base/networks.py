"""Reads the addresses and networks that the operator allows besides the public Internet, with one port or any.

allow = ["127.0.0.1:8080", "10.0.0.0/8", "[::1]:443"]
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from .errors import Unfit

_ENTRY = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\](?P<of_v6>/\d+)?|(?P<v4>[0-9.]+(?:/\d+)?))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class AllowedNetwork:
    """A network that may be reached, also by plain HTTP. `port` None: any port."""

    network: IPv4Network | IPv6Network
    port: int | None

    def contains(self, address: str, port: int) -> bool:
        return ip_address(address) in self.network and self.port in (None, port)


def read_allowed(entries: Sequence[str]) -> tuple[AllowedNetwork, ...]:
    """The allowed networks. Raises `Unfit` with an entry that is malformed."""
    return tuple(_read(entry) for entry in entries)


def _read(entry: str) -> AllowedNetwork:
    match = _ENTRY.fullmatch(entry.strip())
    try:
        if match is None:
            return AllowedNetwork(ip_network(entry.strip()), None)  # IPv6 without brackets, so without a port
        address = match["v4"] or match["v6"] + (match["of_v6"] or "")
        port = int(match["port"]) if match["port"] else None
        if port is not None and not 1 <= port <= 65535:
            raise ValueError
        return AllowedNetwork(ip_network(address), port)
    except ValueError as error:
        text = "{written!r} is not an address or network; write 127.0.0.1:8080, 10.0.0.0/8 or [fd00::]/8"
        raise Unfit(text, written=entry) from error


# The network of a client (a household, a café, a server), by which limits are counted.


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """The IPv4 address itself, also if it is mapped into IPv6; the /64 network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
