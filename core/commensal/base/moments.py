"""Moments and days that others write. The first and the last of `datetime` leave its range a day later or in another
time zone, so years are refused that nobody means."""

from __future__ import annotations

from datetime import date

YEARS = range(1000, 9000)


def is_in_range(moment: date) -> bool:
    """Whether the moment or day lies in one of `YEARS`."""
    return moment.year in YEARS
