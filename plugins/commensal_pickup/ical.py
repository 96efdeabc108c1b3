"""Calendars as other software reads them: iCalendar, RFC 5545."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

MEDIA_TYPE = "text/calendar; charset=utf-8"
_PRODUCT = "-//Commensal//pickup//EN"
_FOLD = 75  # octets of a line, at most (3.1)


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """Something that takes place; `uid` and `sequence` tell a calendar which entry it is, and how often it changed."""

    uid: str
    begins_at: datetime
    ends_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    sequence: int = 0
    cancelled: bool = False


def calendar(name: str, events: Iterable[CalendarEvent], now: datetime) -> bytes:
    """A file of these events, all times in UTC, with `now` as the moment at which they were written down."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for one in events:
        lines += _lines(one, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line)).encode()


def _lines(one: CalendarEvent, now: datetime) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", f"UID:{_text(one.uid)}", f"SEQUENCE:{one.sequence}", f"DTSTAMP:{_moment(now)}")
    yield from (f"DTSTART:{_moment(one.begins_at)}", f"DTEND:{_moment(one.ends_at)}", f"SUMMARY:{_text(one.summary)}")
    for key, value in (("LOCATION", one.location), ("DESCRIPTION", one.description)):
        if value:
            yield f"{key}:{_text(value)}"
    yield from (f"STATUS:{'CANCELLED' if one.cancelled else 'CONFIRMED'}", "END:VEVENT")


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A text as 3.3.11 writes it: what has a meaning is escaped, and what cannot be seen is left out."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(sign for sign in plain if sign == "\t" or (sign >= " " and sign != "\x7f"))


def _folded(line: str) -> Iterator[str]:
    """The line in parts that fit, each but the first begun with a space; no character is cut in two."""
    part = ""
    for sign in line:
        if len(f"{part}{sign}".encode()) > _FOLD:
            yield part
            part = " "
        part += sign
    yield part
