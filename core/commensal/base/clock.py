"""Clocks. Code gets its clock as a parameter, so that tests and simulations can move time."""

from __future__ import annotations

import ctypes
from datetime import UTC, datetime, timedelta
from typing import Protocol

_TIME_ERROR = 5  # the answer of adjtimex(2) if no time server keeps the clock right
_TIMEX_BYTES = 512  # more than `struct timex` has; all zero, it only asks


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime: ...

    def is_synchronised(self) -> bool:
        """Whether a time server vouches for this clock."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def is_synchronised(self) -> bool:
        """What the kernel says (adjtimex). False after the clock was set by hand, and where the kernel cannot tell."""
        try:
            state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
        except (AttributeError, OSError):  # not Linux
            return False
        return 0 <= state < _TIME_ERROR


class ManualClock:
    """A clock that changes only when `advance` or `set` is called."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self.synchronised = False

    def now(self) -> datetime:
        return self._now

    def is_synchronised(self) -> bool:
        return self.synchronised

    def advance(self, **by: float) -> None:
        """Moves the clock on by a `timedelta` of these arguments: ``clock.advance(hours=2)``."""
        self._now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
