"""Moments and days that others write. The first and the last of `datetime` leave its range a day later or in another
time zone, so years are refused that nobody means."""

from __future__ import annotations

from datetime import date, datetime

YEARS = range(1000, 9000)
_OUT_OF_RANGE = f"a year must be between {YEARS[0]} and {YEARS[-1]}"


def read_moment(text: str) -> datetime:
    """A moment that a person typed, like "2026-06-06 20:00". Raises ValueError for a text that is none, and for a year
    out of `YEARS`."""
    moment = datetime.fromisoformat(text)
    if not is_in_range(moment):
        raise ValueError(_OUT_OF_RANGE)
    return moment


def read_day(text: str) -> date:
    """A day that a person typed, like "2026-06-06". Raises ValueError for a text that is none, and for a year out of
    `YEARS`."""
    day = date.fromisoformat(text)
    if not is_in_range(day):
        raise ValueError(_OUT_OF_RANGE)
    return day


def is_in_range(moment: date) -> bool:
    """Whether the moment or day lies in one of `YEARS`."""
    return moment.year in YEARS
