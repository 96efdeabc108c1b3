"""Fields of forms, as people fill them in. What cannot be read is refused with a problem at its field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ...base.decimals import read_whole
from ...base.errors import Invalid, Problem
from ...base.moments import read_day, read_moment
from ...base.money import read_amount


def whole_field(form: Mapping[str, str], name: str, *, digits: int = 9) -> int | None:
    """A whole number, 0 or more, of at most so many digits; None for an empty field. Raises `Invalid`."""
    text = form.get(name, "").strip()
    number = read_whole(text, digits)
    if text and number is None:
        raise Invalid([Problem("not_a_number", "Give a whole number.", f"/{name}")])
    return number


def amount_field(form: Mapping[str, str], name: str, currency: str) -> int:
    """An amount in minor units of the currency, as people write it. Raises `Invalid`, for an empty field too."""
    amount = read_amount(form.get(name, "").strip(), currency)
    if isinstance(amount, Problem):
        raise Invalid([Problem(amount.code, amount.text, f"/{name}", amount.values)])
    return amount


def day_field(form: Mapping[str, str], name: str) -> date:
    """A day. Raises `Invalid`, for an empty field too."""
    try:
        return read_day(form.get(name, "").strip())
    except ValueError:
        raise Invalid([Problem("day", "Give a day, like 2026-06-30.", f"/{name}")]) from None


def moment_field(form: Mapping[str, str], name: str, zone: ZoneInfo) -> datetime:
    """A day and a time on the clocks of the zone. Raises `Invalid`, for an empty field too."""
    try:
        return read_moment(form.get(name, "").strip()).replace(tzinfo=zone)
    except ValueError:
        text = "Give a day and a time, like 2026-06-04 18:00."
        raise Invalid([Problem("moment", text, f"/{name}")]) from None
