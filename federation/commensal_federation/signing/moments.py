"""Moments as documents write them (xsd:dateTimeStamp): in UTC, with a Z, to the second."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: object) -> datetime:
    """Raises ValueError for any other spelling, and for days that no calendar has."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        raise ValueError("not a moment in UTC")
    return datetime.fromisoformat(text)
