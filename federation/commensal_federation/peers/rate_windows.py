"""Counts what a peer, or a stranger's address, sends in a minute; each process counts on its own, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from commensal import Instance

MINUTE = timedelta(minutes=1)
_MOST = 10_000  # names counted at once; the longest silent one is forgotten first


class Windows:
    """Counters by name, each over a minute that begins with its first count. Their number is bounded."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[datetime, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, now: datetime, *, number: int = 1, size: int = 0) -> tuple[int, int]:
        """Adds to a counter; returns the number and the bytes of its present minute."""
        with self._lock:
            begins_at, number_before, size_before = self._current(name, now)
            self._counts[name] = (begins_at, number_before + number, size_before + size)
            self._counts.move_to_end(name)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)
            return number_before + number, size_before + size

    def counted(self, name: str, now: datetime) -> tuple[int, int]:
        """The number and the bytes of a counter's present minute."""
        with self._lock:
            return self._current(name, now)[1:]

    def wait(self, name: str, now: datetime) -> int:
        """Seconds until a counter's next minute begins, at least 1."""
        with self._lock:
            return max(1, int((self._current(name, now)[0] + MINUTE - now).total_seconds()) + 1)

    def _current(self, name: str, now: datetime) -> tuple[datetime, int, int]:
        begins_at, number, size = self._counts.get(name, (now, 0, 0))
        return (begins_at, number, size) if begins_at <= now < begins_at + MINUTE else (now, 0, 0)


def windows_of(instance: Instance) -> Windows:
    """This process's counters for the instance."""
    return instance.state.of(_new_windows)


def _new_windows(instance: Instance) -> Windows:
    return Windows()
