"""Calendars as other software reads them: iCalendar, RFC 5545."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

CALENDAR_TYPE = "text/calendar; charset=utf-8"
_PRODUCT = "-//Commensal//EN"
_LONGEST_LINE = 75  # octets of a line, at most (3.1)


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """A calendar entry. `uid` identifies it, `sequence` counts its changes."""

    uid: str
    begins_at: datetime
    ends_at: datetime
    summary: str
    location: str = ""
    description: str = ""
    sequence: int = 0
    cancelled: bool = False


def calendar(name: str, events: Iterable[CalendarEvent], now: datetime) -> bytes:
    """An iCalendar file of these events, all times in UTC; `now` is the time of its creation."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{_PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
    ]
    for event in events:
        lines += _lines(event, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _fold_line(line)).encode()


def _lines(event: CalendarEvent, now: datetime) -> Iterator[str]:
    yield from ("BEGIN:VEVENT", f"UID:{_text(event.uid)}", f"SEQUENCE:{event.sequence}", f"DTSTAMP:{_moment(now)}")
    yield from (
        f"DTSTART:{_moment(event.begins_at)}",
        f"DTEND:{_moment(event.ends_at)}",
        f"SUMMARY:{_text(event.summary)}",
    )
    for key, value in (("LOCATION", event.location), ("DESCRIPTION", event.description)):
        if value:
            yield f"{key}:{_text(value)}"
    yield from (f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}", "END:VEVENT")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A text as in 3.3.11: special characters escaped, control characters left out."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(character for character in plain if character == "\t" or (character >= " " and character != "\x7f"))


def _fold_line(line: str) -> Iterator[str]:
    """Splits a line into parts of at most 75 octets, all but the first with a leading space; splits no character."""
    part = ""
    for character in line:
        if len(f"{part}{character}".encode()) > _LONGEST_LINE:
            yield part
            part = " "
        part += character
    yield part
