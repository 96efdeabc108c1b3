"""How often a sale comes back: recurrence rules of RFC 5545, counted in the wall-clock time of the coordinator.

A rule comes without DTSTART: it starts from the sale that carries it, and travels on to the next one when that is
made. COUNT says how many sales are still to come, this one included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from ...base.errors import Problem

LONGEST_RULE = 200  # characters
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "COUNT", "UNTIL")
_OFTEN = ("DAILY", "WEEKLY", "MONTHLY")
_HORIZON = timedelta(days=800)  # a sale that does not come back in two years does not come back
# Rules are tried in the last 26 months that Python knows: dateutil looks for a day that never comes until the end of
# time, which takes seconds from today. The start is the end of a long month, the hardest there is.
_LAST_YEARS = datetime(9997, 10, 31, 18, 0)  # noqa: DTZ001 - a wall clock
_UNREADABLE = "The days of this rhythm cannot be read; write them like BYDAY=TU,FR."
_UNTIL = re.compile(r"(\d{8})(T(\d{6})Z)?", re.ASCII)
_DAYS = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_WHOLE = re.compile(r"[1-9]\d{0,3}", re.ASCII)


def rhythm_problems(rule: str) -> list[Problem]:
    """What is wrong with a rule that somebody wrote, as problems at "/rhythm"; an empty list if nothing is."""
    if len(rule) > LONGEST_RULE:
        return [_problem("too_long", "A rhythm has at most {limit} characters.", limit=LONGEST_RULE)]
    pairs = [part.partition("=")[::2] for part in rule.split(";")]
    parts = dict(pairs)
    found = [
        _problem("unknown_part", "A rhythm knows no {part}; it may say {parts}.", part=name, parts=", ".join(_PARTS))
        for name in parts
        if name not in _PARTS
    ]
    if len(parts) < len(pairs):
        found.append(_problem("twice", "A rhythm says each thing once."))
    if parts.get("FREQ") not in _OFTEN:
        found.append(_problem("frequency", "A rhythm begins with FREQ=DAILY, FREQ=WEEKLY or FREQ=MONTHLY."))
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not _WHOLE.fullmatch(parts[name]):
            found.append(_problem("number", "{part} is a whole number from 1 to 9999.", part=name))
    if "COUNT" in parts and "UNTIL" in parts:
        found.append(_problem("two_ends", "A rhythm ends by COUNT or by UNTIL, not by both."))
    if "UNTIL" in parts and _last_moment(parts["UNTIL"], ZoneInfo("UTC")) is None:
        found.append(_problem("until", "UNTIL is a day like 20261231, or a moment in UTC like 20261231T170000Z."))
    return found or _day_problems(parts)


def next_opening(rule: str, opens_at: datetime, timezone: str, *, not_before: datetime) -> tuple[datetime, str] | None:
    """The first time after `opens_at` (UTC), not before `not_before`, at which a sale with this valid rule opens again.

    Comes with the rule for that sale: its COUNT is lower by the occurrences that have passed, those that were skipped
    included. None once the rule has ended. 18:00 stays 18:00 when the clocks change; a time that a change skips or
    doubles is read as RFC 5545, 3.3.5 says: by the offset before the gap, and as the first of the two.
    """
    zone = ZoneInfo(timezone)
    parts = dict(part.split("=") for part in rule.split(";"))
    left = int(parts.pop("COUNT", 0)) or None
    last = _last_moment(parts.pop("UNTIL", ""), zone)
    start = opens_at.astimezone(zone).replace(tzinfo=None)
    for passed, local in enumerate(_after(parts, start, start + _HORIZON), 1):
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if (last and moment > last) or (left and passed >= left):
            return None
        if moment >= not_before:
            return moment, _with_count(rule, left - passed) if left else rule
    return None


def shifted(moment: datetime, timezone: str, *, start: datetime, new_start: datetime) -> datetime:
    """`moment`, as far from `new_start` as it was from `start` on the clocks of the time zone (all in UTC)."""
    zone = ZoneInfo(timezone)
    here, old, new = (one.astimezone(zone).replace(tzinfo=None) for one in (moment, start, new_start))
    return (here + (new - old)).replace(tzinfo=zone).astimezone(UTC)


def _after(parts: dict[str, str], start: datetime, until: datetime | None) -> Iterator[datetime]:
    """Occurrences after `start` and up to `until`, in naive wall-clock time."""
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start)
    assert isinstance(rule, rrule)
    for moment in rule.replace(until=until):
        if moment > start:
            yield moment


def _day_problems(parts: dict[str, str]) -> list[Problem]:
    """Whether the days can be read, and come."""
    days = [_DAYS.fullmatch(day) for day in parts.get("BYDAY", "MO").split(",")]
    if not all(days) or any(day and day[1] and parts["FREQ"] != "MONTHLY" for day in days):
        return [_problem("unreadable", _UNREADABLE)]
    endless = {name: value for name, value in parts.items() if name not in ("COUNT", "UNTIL")}
    try:
        for _ in _after(endless, _LAST_YEARS, None):
            return []
    except (ValueError, TypeError, KeyError, IndexError):  # what dateutil raises for parts it cannot read
        return [_problem("unreadable", _UNREADABLE)]
    return [_problem("never", "No day within two years follows from this rhythm.")]


def _last_moment(until: str, zone: ZoneInfo) -> datetime | None:
    """UTC. A day without a time counts to its end in the time zone."""
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
