"""What time it is. Injected, so that a test or a simulator moves time by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """Moves on by a `timedelta` given in its own words: ``clock.advance(hours=2)``."""
        self._now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
