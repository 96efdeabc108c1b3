"""Weekly opening hours of a place, in its local time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from commensal import Problem

Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]  # as RFC 5545, 3.3.10, writes them
Span = tuple[datetime, datetime]  # UTC

MOST_HOURS = 50  # of one place
_WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Opening hours on one day of the week, like "17:00" to "19:30"; a day ends at "24:00"."""

    weekday: Weekday
    begins: str
    ends: str


def read_hours(hours: Sequence[Hours], problems: list[Problem]) -> tuple[Hours, ...]:
    """The hours in the order of the week. Adds mistakes to `problems`, each with its index in the list."""
    if len(hours) > MOST_HOURS:
        text = "A place has at most {most} opening hours."
        problems.append(Problem("too_many_hours", text, "/hours", {"most": MOST_HOURS}))
    for index, opening in enumerate(hours[:MOST_HOURS]):
        times = (opening.begins, opening.ends)
        if opening.weekday not in _WEEKDAYS or not all(_CLOCK.fullmatch(clock) for clock in times):
            text = "Opening hours say a day (MO to SU) and two times like 17:00 and 19:30."
            problems.append(Problem("hours", text, f"/hours/{index}"))
        elif opening.ends <= opening.begins:
            text = "A place closes after it opens; what goes on after midnight stands on the next day."
            problems.append(Problem("hours", text, f"/hours/{index}"))
    return tuple(sorted(hours, key=_order_in_week))


def openings(hours: Iterable[Hours], timezone: str, begins_at: datetime, ends_at: datetime) -> list[Span]:
    """The spans (UTC) between two aware moments in which a place with these hours is open; adjacent ones are joined."""
    zone = ZoneInfo(timezone)
    days = _days(begins_at.astimezone(zone).date() - timedelta(days=1), ends_at.astimezone(zone).date())
    weekly = {weekday: [opening for opening in hours if opening.weekday == weekday] for weekday in _WEEKDAYS}
    spans = (_span(day, opening, zone) for day in days for opening in weekly[_WEEKDAYS[day.weekday()]])
    clipped = ((max(opens, begins_at.astimezone(UTC)), min(closes, ends_at.astimezone(UTC))) for opens, closes in spans)
    return _join(sorted(span for span in clipped if span[0] < span[1]))


def lies_within(hours: Sequence[Hours], timezone: str, begins_at: datetime, ends_at: datetime) -> bool:
    """Whether the place is open during the whole span; a place without hours always is."""
    return not hours or openings(hours, timezone, begins_at, ends_at) == [(begins_at, ends_at)]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _span(day: date, hours: Hours, zone: ZoneInfo) -> Span:
    return _moment(day, hours.begins, zone), _moment(day, hours.ends, zone)


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """The moment in UTC. A time that a clock change skips or repeats is read as in RFC 5545, 3.3.5."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).astimezone(UTC)


def _join(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for opens, closes in spans:
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return joined


def _order_in_week(opening: Hours) -> tuple[int, str, str]:
    day = _WEEKDAYS.index(opening.weekday) if opening.weekday in _WEEKDAYS else len(_WEEKDAYS)
    return day, opening.begins, opening.ends
