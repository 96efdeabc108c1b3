"""What the operator allows besides the Internet at large: single addresses and networks, with a port or with any.

allow = ["127.0.0.1:8080", "10.0.0.0/8", "[::1]:443"]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from ...base.errors import Unfit

_WRITTEN = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\](?P<of_v6>/\d+)?|(?P<v4>[0-9.]+(?:/\d+)?))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True)
class Allowed:
    """A network that may be reached, by plain HTTP too. No port: any."""

    network: IPv4Network | IPv6Network
    port: int | None

    def holds(self, address: str, port: int) -> bool:
        return ip_address(address) in self.network and self.port in (None, port)


def read_allowed(written: Sequence[str]) -> tuple[Allowed, ...]:
    """Raises `Unfit`, naming the entry that cannot be read."""
    return tuple(_read(one) for one in written)


def _read(written: str) -> Allowed:
    found = _WRITTEN.fullmatch(written.strip())
    try:
        if found is None:
            return Allowed(ip_network(written.strip()), None)  # IPv6 without brackets, so without a port
        address = found["v4"] or found["v6"] + (found["of_v6"] or "")
        port = int(found["port"]) if found["port"] else None
        if port is not None and not 1 <= port <= 65535:
            raise ValueError
        return Allowed(ip_network(address), port)
    except ValueError as error:
        text = "{written!r} is no address or network; write 127.0.0.1:8080, 10.0.0.0/8 or [fd00::]/8"
        raise Unfit(text, written=written) from error
