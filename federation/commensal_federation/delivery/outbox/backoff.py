"""When to retry: later after each failure, and spread by chance, so that retries do not come all at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from commensal import Transaction

_FIRST = 2  # seconds
LONGEST = timedelta(hours=1)
GIVEN_UP = timedelta(days=7)  # after which a message that was not delivered is a dead letter
_DOUBLINGS = 12  # more would pass `LONGEST` anyway


def chance(tx: Transaction) -> float:
    """A number from 0 to below 1 from the instance's source of randomness, which a simulation can repeat."""
    return int.from_bytes(sha256(tx.ids.secret().encode()).digest()[:6]) / 2**48


def delay(failures: int, chance: float) -> timedelta:
    """The delay after so many failures in a row: min(1 h, 2 s · 2^n) · (0.5 + chance)."""
    return min(LONGEST, timedelta(seconds=_FIRST * 2.0 ** min(failures, _DOUBLINGS))) * (0.5 + chance)


def retry_after(header: str, now: datetime) -> datetime | None:
    """The delay of a Retry-After in seconds (RFC 9110, 10.2.3), at most an hour; dates are not read."""
    if not header.isascii() or not header.isdecimal() or len(header) > 9:
        return None
    return now + min(LONGEST, timedelta(seconds=int(header)))
