"""How often a sale is repeated: recurrence rules of RFC 5545, in the wall-clock time of the coordinator.

A rule has no DTSTART: it starts from the sale that has it, and moves to the next sale when that is created. COUNT is
the number of sales still to come, including this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from ..base.errors import Problem

LONGEST_RULE = 200  # characters
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "COUNT", "UNTIL")
_OFTEN = ("DAILY", "WEEKLY", "MONTHLY")
_HORIZON = timedelta(days=800)  # a rule without a date in two years counts as ended
# Rules are tested in the last 26 months of Python's calendar: dateutil searches for an impossible day up to the year
# 9999, which takes seconds from today. The start is the last day of a long month, the hardest case.
_LAST_YEARS = datetime(9997, 10, 31, 18, 0)  # noqa: DTZ001 - a wall clock
_UNREADABLE = "The days of this rhythm cannot be read; write them like BYDAY=TU,FR."
_UNTIL = re.compile(r"(\d{8})(T(\d{6})Z)?", re.ASCII)
_DAYS = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_WHOLE = re.compile(r"[1-9]\d{0,3}", re.ASCII)


def rhythm_problems(rule: str) -> list[Problem]:
    """Returns the mistakes in a rule that a person wrote, as problems at "/rhythm"."""
    if len(rule) > LONGEST_RULE:
        return [_problem("too_long", "A rhythm has at most {limit} characters.", limit=LONGEST_RULE)]
    pairs = [part.partition("=")[::2] for part in rule.split(";")]
    parts = dict(pairs)
    problems = [
        _problem("unknown_part", "A rhythm knows no {part}; it may say {parts}.", part=name, parts=", ".join(_PARTS))
        for name in parts
        if name not in _PARTS
    ]
    if len(parts) < len(pairs):
        problems.append(_problem("twice", "A rhythm says each thing once."))
    if parts.get("FREQ") not in _OFTEN:
        problems.append(_problem("frequency", "A rhythm begins with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY."))
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not _WHOLE.fullmatch(parts[name]):
            problems.append(_problem("number", "{part} is a whole number from 1 to 9999.", part=name))
    if "COUNT" in parts and "UNTIL" in parts:
        problems.append(_problem("two_ends", "A rhythm ends by COUNT or by UNTIL, not by both."))
    if "UNTIL" in parts and _last_moment(parts["UNTIL"], ZoneInfo("UTC")) is None:
        problems.append(_problem("until", "UNTIL is a day like 20261231, or a moment in UTC like 20261231T170000Z."))
    return problems or _day_problems(parts)


def next_opening(rule: str, opens_at: datetime, timezone: str, *, not_before: datetime) -> tuple[datetime, str] | None:
    """Returns the next opening (UTC) after `opens_at` by this valid rule, not before `not_before`, and the rule for it.

    The COUNT of that rule is reduced by the occurrences that have passed, including skipped ones. Returns None once the
    rule has ended. 18:00 stays 18:00 when the clocks change; a time that a change skips or repeats is read as in RFC
    5545, 3.3.5: with the offset before the gap, and as the first of the two.
    """
    zone = ZoneInfo(timezone)
    parts = dict(part.split("=") for part in rule.split(";"))
    count = int(parts.pop("COUNT", 0)) or None
    last = _last_moment(parts.pop("UNTIL", ""), zone)
    start = opens_at.astimezone(zone).replace(tzinfo=None)
    for number, local in enumerate(_occurrences(parts, start, start + _HORIZON), 1):
        opening = local.replace(tzinfo=zone).astimezone(UTC)
        if (last and opening > last) or (count and number >= count):
            return None
        if opening >= not_before:
            return opening, _with_count(rule, count - number) if count else rule
    return None


def shifted(moment: datetime, timezone: str, *, start: datetime, new_start: datetime) -> datetime:
    """Moves `moment` so that its wall-clock distance to `new_start` is that to `start`; all in UTC."""
    zone = ZoneInfo(timezone)
    local_moment, local_start, local_new_start = (
        utc.astimezone(zone).replace(tzinfo=None) for utc in (moment, start, new_start)
    )
    return (local_moment + (local_new_start - local_start)).replace(tzinfo=zone).astimezone(UTC)


def _occurrences(parts: dict[str, str], start: datetime, until: datetime | None) -> Iterator[datetime]:
    """Yields occurrences after `start` and up to `until`, in naive wall-clock time."""
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start)
    assert isinstance(rule, rrule)
    for moment in rule.replace(until=until):
        if moment > start:
            yield moment


def _day_problems(parts: dict[str, str]) -> list[Problem]:
    """Returns a problem if the days cannot be read, or if no date ever matches."""
    days = [_DAYS.fullmatch(day) for day in parts.get("BYDAY", "MO").split(",")]
    if not all(days) or any(day and day[1] and parts["FREQ"] != "MONTHLY" for day in days):
        return [_problem("unreadable", _UNREADABLE)]
    endless = {name: value for name, value in parts.items() if name not in ("COUNT", "UNTIL")}
    try:
        for _ in _occurrences(endless, _LAST_YEARS, None):
            return []
    except (ValueError, TypeError, KeyError, IndexError):  # what dateutil raises for parts it cannot read
        return [_problem("unreadable", _UNREADABLE)]
    return [_problem("never", "No day within two years follows from this rhythm.")]


def _last_moment(until: str, zone: ZoneInfo) -> datetime | None:
    """Returns the moment of UNTIL in UTC; a date without a time means the end of that day in the time zone."""
    match = _UNTIL.fullmatch(until)
    if match is None:
        return None
    try:
        if match[3]:
            return datetime.strptime(match[1] + match[3], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        day = date.fromisoformat(match[1])
    except ValueError:
        return None
    return datetime.combine(day, time.max, tzinfo=zone).astimezone(UTC)


def _with_count(rule: str, count: int) -> str:
    return re.sub(r"COUNT=\d+", f"COUNT={count}", rule)


def _problem(code: str, text: str, **values: object) -> Problem:
    return Problem(code, text, "/rhythm", values)
