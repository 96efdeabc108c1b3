"""When to try again: later each time, and never all at the same moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from commensal import Transaction

_FIRST = 2  # seconds
LONGEST = timedelta(hours=1)
GIVEN_UP = timedelta(days=7)  # after which a message that was not delivered is a dead letter
_DOUBLINGS = 12  # more would pass `LONGEST` anyway


def chance(tx: Transaction) -> float:
    """At least 0 and below 1, from the instance's source of chance: a simulation has the same each time."""
    return int.from_bytes(sha256(tx.ids.secret().encode()).digest()[:6]) / 2**48


def delay(failures: int, chance: float) -> timedelta:
    """How long to wait after so many failures in a row: min(1 h, 2 s · 2^n) · (0.5 + chance)."""
    return min(LONGEST, timedelta(seconds=_FIRST * 2.0 ** min(failures, _DOUBLINGS))) * (0.5 + chance)


def retry_after(header: str, now: datetime) -> datetime | None:
    """What a Retry-After of seconds asks for (RFC 9110, 10.2.3), but not more than an hour; dates are not read."""
    if not header.isascii() or not header.isdecimal() or len(header) > 9:
        return None
    return now + min(LONGEST, timedelta(seconds=int(header)))
