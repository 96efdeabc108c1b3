"""Rate limits for each address: reads, writes, log-ins and messages a minute. Each process counts for itself.

The moments of the last minute are kept in memory, so a limit holds for every minute and not only from one full minute
to the next.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...base.errors import TooMany
from ...base.networks import network
from ...instance.settings import LimitSettings

_WINDOW = 60.0  # seconds


class Rates:
    """Counts requests. An IPv6 address counts as its /64, which is what one household or server gets."""

    def __init__(self, settings: LimitSettings, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._most = {
            "reads": settings.reads,
            "writes": settings.writes,
            "logins": settings.logins,
            "signups": settings.signups,
            "webhooks": settings.webhooks,
        }
        self._seconds, self._lock = seconds, threading.Lock()
        self._hits: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._swept_at = seconds()

    def count(self, kind: str, address: str) -> None:
        """Raises `TooMany` with the seconds to wait."""
        with self._lock:
            self._refuse_spent(kind, address).append(self._seconds())

    @contextmanager
    def trying(self, kind: str, address: str) -> Iterator[None]:
        """Counts before the block begins, so that tries that come at once are all counted. Of the kind "logins" only
        those stay counted that end in an error: forty people behind one Wi-Fi may log in at once. Raises `TooMany`."""
        self.count(kind, address)
        yield
        self.succeeded(kind, address)

    def succeeded(self, kind: str, address: str) -> None:
        """What was counted before has ended well: see `trying`."""
        if kind == "logins":
            self.give_back(kind, address)

    def give_back(self, kind: str, address: str) -> None:
        """One that was counted does not count after all."""
        with self._lock:
            hits = self._hits.get((kind, network(address)))
            if hits:
                hits.pop()

    def refuse_spent(self, kind: str, address: str) -> None:
        """Raises the same where nothing is left, and counts nothing."""
        with self._lock:
            self._refuse_spent(kind, address)

    def _refuse_spent(self, kind: str, address: str) -> deque[float]:
        """What the address has spent within the last minute, where that is less than all."""
        now = self._seconds()
        self._sweep(now)
        hits = self._hits[kind, network(address)]
        while hits and hits[0] <= now - _WINDOW:
            hits.popleft()
        if len(hits) >= self._most[kind]:
            raise TooMany(max(1, int(hits[0] + _WINDOW - now) + 1) if hits else int(_WINDOW))
        return hits

    def _sweep(self, now: float) -> None:
        """Once a minute, addresses that have been silent for one are forgotten."""
        if now - self._swept_at < _WINDOW:
            return
        self._swept_at = now
        for key in [key for key, hits in self._hits.items() if not hits or hits[-1] <= now - _WINDOW]:
            del self._hits[key]
