"""Clocks. Code gets its clock as a parameter, so that tests and simulations can move time."""

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
    """A clock that changes only when `advance` or `set` is called."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        """Moves the clock on by a `timedelta` of these arguments: ``clock.advance(hours=2)``."""
        self._now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
