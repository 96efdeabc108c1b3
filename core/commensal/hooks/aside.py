"""Plugins that are set aside: a circuit breaker for each hook, page, endpoint and job of each plugin.

Whoever calls a plugin that hangs waits for its time limit. After a few times in a row it is not called any more; a
minute later one call tries whether it works again.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

REST = timedelta(minutes=1)
HANGS = 3  # in a row, before a plugin is set aside
FAILURES = 30  # in a row: one that fails at once costs nobody any time
_HANG, _FAILURE = FAILURES // HANGS, 1

Place = tuple[str, str]  # the plugin, and the hook, page, endpoint or job in which it failed


class Aside:
    """Of one process. Faults count until a call goes well."""

    def __init__(self) -> None:
        self._points: defaultdict[Place, int] = defaultdict(int)
        self._until: dict[Place, datetime] = {}

    def until(self, place: Place, now: datetime) -> datetime | None:
        """Until when the plugin is not called there; None: it may be called."""
        until = self._until.get(place) if self._until else None
        if until is None or until > now:
            return until
        self._until[place] = now + REST  # the others wait until this call has told whether it works again
        return None

    def failed(self, place: Place, now: datetime, *, late: bool) -> bool:
        """Counts a fault. Whether it sets the plugin aside."""
        self._points[place] += _HANG if late else _FAILURE
        if self._points[place] < FAILURES:
            return False
        self._until[place] = now + REST
        return True

    def points(self, place: Place) -> int:
        return self._points.get(place, 0) if self._points else 0

    def worked(self, place: Place) -> None:
        if self._points and self._points.pop(place, None) is not None:
            self._until.pop(place, None)
