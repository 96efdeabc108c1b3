"""Opening hours of a place: when its door is open, week after week, on the clock of its wall."""

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
    """From when until when a place is open on one day of the week: "17:00" to "19:30"; a day ends at "24:00"."""

    weekday: Weekday
    begins: str
    ends: str


def read_hours(hours: Sequence[Hours], problems: list[Problem]) -> tuple[Hours, ...]:
    """The hours in the order of the week. Mistakes are added to `problems`, each at its place in the list."""
    if len(hours) > MOST_HOURS:
        text = "A place has at most {most} opening hours."
        problems.append(Problem("too_many_hours", text, "/hours", {"most": MOST_HOURS}))
    for place, one in enumerate(hours[:MOST_HOURS]):
        times = (one.begins, one.ends)
        if one.weekday not in _WEEKDAYS or not all(_CLOCK.fullmatch(clock) for clock in times):
            text = "Opening hours say a day (MO to SU) and two times like 17:00 and 19:30."
            problems.append(Problem("hours", text, f"/hours/{place}"))
        elif one.ends <= one.begins:
            text = "A place closes after it opens; what goes on after midnight stands on the next day."
            problems.append(Problem("hours", text, f"/hours/{place}"))
    return tuple(sorted(hours, key=_in_the_week))


def openings(hours: Iterable[Hours], timezone: str, begins_at: datetime, ends_at: datetime) -> list[Span]:
    """The spans between two aware moments in which a place with these hours is open; those that touch are one."""
    zone = ZoneInfo(timezone)
    days = _days(begins_at.astimezone(zone).date() - timedelta(days=1), ends_at.astimezone(zone).date())
    weekly = {weekday: [one for one in hours if one.weekday == weekday] for weekday in _WEEKDAYS}
    spans = (_span(day, one, zone) for day in days for one in weekly[_WEEKDAYS[day.weekday()]])
    cut = ((max(opens, begins_at.astimezone(UTC)), min(shuts, ends_at.astimezone(UTC))) for opens, shuts in spans)
    return _joined(sorted(span for span in cut if span[0] < span[1]))


def lies_within(hours: Sequence[Hours], timezone: str, begins_at: datetime, ends_at: datetime) -> bool:
    """Whether the place is open all the time; one without hours always is."""
    return not hours or openings(hours, timezone, begins_at, ends_at) == [(begins_at, ends_at)]


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _span(day: date, hours: Hours, zone: ZoneInfo) -> Span:
    return _moment(day, hours.begins, zone), _moment(day, hours.ends, zone)


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """UTC. An hour that a change of clocks skips or doubles is read as RFC 5545, 3.3.5, says."""
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone).astimezone(UTC)


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for opens, shuts in spans:
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(shuts, joined[-1][1]))
        else:
            joined.append((opens, shuts))
    return joined


def _in_the_week(one: Hours) -> tuple[int, str, str]:
    day = _WEEKDAYS.index(one.weekday) if one.weekday in _WEEKDAYS else len(_WEEKDAYS)
    return day, one.begins, one.ends
