"""Reads and writes times as documents have them (RFC 3339, xsd:dateTimeStamp): UTC, with a Z. We write whole seconds.

Other software writes fractions of a second, down to nanoseconds, such as `Temporal.Instant` of JavaScript.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: object) -> datetime:
    """Reads such a time, to the microsecond. Raises ValueError for any other spelling and for impossible dates; its
    text says how to write a time."""
    try:
        if isinstance(text, str) and _SHAPE.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("times must be in UTC, as 2026-06-04T10:00:00Z, with at most nine digits of a fraction")
