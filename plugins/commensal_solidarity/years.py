"""Years of a fund: twelve months from the first of any month."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Year(NamedTuple):
    """The key of a budget: a programme's year at one hub. `year` is the calendar year in which it begins."""

    enterprise_id: str
    programme: str
    year: int


def year_of(day: date, first_month: int) -> int:
    """Returns the fund's year that contains a day: with September as the first month, May 2027 belongs to 2026."""
    return day.year if day.month >= first_month else day.year - 1


def first_day(year: int, first_month: int) -> date:
    return date(year, first_month, 1)


def last_day(year: int, first_month: int) -> date:
    return date(year + 1, first_month, 1) - timedelta(days=1)


def local_date(moment: datetime, timezone: str) -> date:
    """Returns the date of a moment in an IANA time zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_start(day: date, timezone: str) -> datetime:
    """Returns the moment, in UTC, at which a day begins in an IANA time zone."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
