"""Limits the requests of each address: reads, writes, log-ins, sign-ups and messages a minute. Each process counts for
itself.

The times of the last minute's requests are kept in memory, so a limit holds for any sixty seconds (a sliding window).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..base.errors import TooMany
from ..base.networks import network
from ..instance.settings import LimitSettings

_WINDOW = 60.0  # seconds


class Rates:
    """Counts requests. An IPv6 address counts as its /64 network, which is what one household or server gets."""

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

    def count(self, kind: str, address: str, times: int = 1) -> None:
        """Counts a request, or as many `times` as it tries something, all or none of them. Raises `TooMany`, with the
        seconds to wait, if the limit is reached."""
        with self._lock:
            hits = self._refuse_spent(kind, address, times)
            hits.extend([self._seconds()] * times)

    @contextmanager
    def attempt(self, kind: str, address: str) -> Iterator[None]:
        """Counts before the block runs, so that parallel attempts are all counted. Of the kind "logins" only failures
        stay counted: forty people behind one Wi-Fi may log in at once. Raises `TooMany`."""
        self.count(kind, address)
        yield
        self.note_success(kind, address)

    def note_success(self, kind: str, address: str) -> None:
        """Takes the count of a successful log-in back; see `attempt`."""
        if kind == "logins":
            self.give_back(kind, address)

    def give_back(self, kind: str, address: str, times: int = 1) -> None:
        """Takes counts back."""
        with self._lock:
            hits = self._hits.get((kind, network(address)), deque())
            for _ in range(min(times, len(hits))):
                hits.pop()

    def _refuse_spent(self, kind: str, address: str, times: int = 1) -> deque[float]:
        """The times of the address's requests within the last minute. Raises `TooMany` if there is no room for as many
        `times`; the first request of a minute always has room."""
        now = self._seconds()
        self._sweep(now)
        hits = self._hits[kind, network(address)]
        while hits and hits[0] <= now - _WINDOW:
            hits.popleft()
        if len(hits) + max(1, min(times, self._most[kind])) > self._most[kind]:
            raise TooMany(max(1, int(hits[0] + _WINDOW - now) + 1) if hits else int(_WINDOW))
        return hits

    def _sweep(self, now: float) -> None:
        """Forgets addresses without a request in the last minute; at most once a minute."""
        if now - self._swept_at < _WINDOW:
            return
        self._swept_at = now
        for key in [key for key, hits in self._hits.items() if not hits or hits[-1] <= now - _WINDOW]:
            del self._hits[key]
