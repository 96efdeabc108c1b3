"""Moments as documents write them (RFC 3339, xsd:dateTimeStamp): in UTC, with a Z, ours to the second.

Other software writes fractions of a second, as far as nanoseconds: `Temporal.Instant` of JavaScript does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: object) -> datetime:
    """To the microsecond. Raises ValueError, which says how to write it, for any other spelling and for days that no
    calendar has."""
    try:
        if isinstance(text, str) and _SHAPE.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("times must be in UTC, as 2026-06-04T10:00:00Z, with at most nine digits of a fraction")
