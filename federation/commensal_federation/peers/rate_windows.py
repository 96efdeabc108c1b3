"""What a peer, or an address that is no peer's, may send in a minute. Each process counts for itself, in memory."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from datetime import datetime, timedelta

from commensal import Instance

_windows: dict[int, Windows] = {}  # by the identity of the instance
MINUTE = timedelta(minutes=1)
_MOST = 10_000  # names that are counted at once; whoever has been silent for longest is forgotten first


class Windows:
    """Counts by name, each in a minute that begins with its first count. Bounded, whatever names come."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[datetime, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, name: str, now: datetime, *, number: int = 1, size: int = 0) -> tuple[int, int]:
        """Counts, and returns what the minute has now: a number, and bytes."""
        with self._lock:
            began, counted, counted_size = self._current(name, now)
            self._counts[name] = (began, counted + number, counted_size + size)
            self._counts.move_to_end(name)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)
            return counted + number, counted_size + size

    def counted(self, name: str, now: datetime) -> tuple[int, int]:
        """What the minute has so far: a number, and bytes."""
        with self._lock:
            return self._current(name, now)[1:]

    def wait(self, name: str, now: datetime) -> int:
        """Seconds until its next minute begins."""
        with self._lock:
            return max(1, int((self._current(name, now)[0] + MINUTE - now).total_seconds()) + 1)

    def _current(self, name: str, now: datetime) -> tuple[datetime, int, int]:
        began, number, size = self._counts.get(name, (now, 0, 0))
        return (began, number, size) if began <= now < began + MINUTE else (now, 0, 0)


def windows_of(instance: Instance) -> Windows:
    """The counters of this instance, in this process."""
    key = id(instance)
    if key not in _windows:
        _windows[key] = Windows()
        weakref.finalize(instance, _windows.pop, key, None)
    return _windows[key]
