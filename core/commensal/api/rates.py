"""Rate limits for each address: reads, writes, log-ins and messages a minute. Each process counts for itself.

Counters live in memory.
"""

from __future__ import annotations

import ipaddress
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from ..errors import TooMany
from ..instance.settings import LimitSettings


class Rates:
    """Counts requests. An IPv6 address counts as its /64, which is what one household or server gets."""

    def __init__(self, settings: LimitSettings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limits = {
            "reads": RateLimitItemPerMinute(settings.reads),
            "writes": RateLimitItemPerMinute(settings.writes),
            "logins": RateLimitItemPerMinute(settings.logins),
            "webhooks": RateLimitItemPerMinute(settings.webhooks),
        }

    def count(self, kind: str, address: str) -> None:
        """Raises `TooMany` with the seconds to wait."""
        if not self._limiter.hit(self._limits[kind], kind, network(address)):
            raise self._too_many(kind, network(address))

    def refuse_spent(self, kind: str, address: str) -> None:
        """Raises the same where nothing is left, and counts nothing."""
        if not self._limiter.test(self._limits[kind], kind, network(address)):
            raise self._too_many(kind, network(address))

    def _too_many(self, kind: str, source: str) -> TooMany:
        reset = self._limiter.get_window_stats(self._limits[kind], kind, source).reset_time
        return TooMany(max(1, int(reset - time.time()) + 1))


def network(address: str) -> str:
    """The IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
