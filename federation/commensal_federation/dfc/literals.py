"""Reads and writes numbers, dates and countries in the spellings that platforms send."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache

from babel import Locale
from babel.core import get_global

MOST = Decimal(10) ** 15  # no quantity or price of food is larger
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_COMMA = re.compile(r"[+-]?(\d{1,40},(\d{1,2}|\d{4,40})|0,\d{1,40})")  # of decimals: "1,500" may be a thousand
_FINEST = -18  # exponent of the last decimal place that is kept
_WORDS = re.compile(
    r"(?:[A-Za-z]{3},? )?(?:(?P<day1>\d{1,2}) (?P<month1>[A-Za-z]{3})|(?P<month2>[A-Za-z]{3}) (?P<day2>\d{1,2})) "
    r"(?P<year>\d{4}) (?P<time>\d{2}:\d{2}(?::\d{2})?) ?(?:UTC|GMT|Z)?(?P<offset>[+-]\d{4})?(?: \(.{1,60}\))?"
)
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d{1,9})?S)?)?")
_SECONDS = re.compile(r"\d{1,8}")
_EPOCH = re.compile(r"\d{9,10}")  # seconds since 1970, from 1973 to 2286
_GONE = {"BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"}  # codes that ISO 3166-1 withdrew
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_number(value: object) -> Decimal | None:
    """A number from a JSON number or a string; None if it is not a number, or an absurd one (1e400).

    A comma is read as the point of decimals where it cannot be one of thousands.
    """
    if isinstance(value, bool):
        return None
    text = repr(value) if isinstance(value, float) else str(value).strip()
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if not -MOST < number < MOST or not isinstance(exponent, int):
        return None
    if exponent < _FINEST:  # noise of binary fractions
        number = round(number, -_FINEST)
    return number


def read_percent(value: object) -> Decimal | None:
    """A number from 0 to 100, with or without the sign of percent; None if it is none."""
    number = read_number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return number if number is not None and 0 <= number <= 100 else None


def write_number(number: Decimal) -> str:
    """The number without an exponent and without trailing zeros after the point."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def read_moment(value: object) -> datetime | None:
    """A date and time in UTC from ISO 8601, from the formats of JavaScript, Ruby and e-mail, or from a day alone.

    A time without an offset is read as UTC, and a whole number of nine or ten digits as seconds since 1970. None if it
    is not a date.
    """
    text = str(value).strip()[:100]
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(text), UTC)
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC").replace(" +", "+"))
    except ValueError:
        return _in_words(text)
    return _utc(moment)


def write_moment(moment: datetime) -> str:
    """ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_duration(value: object) -> timedelta | None:
    """A duration from ISO 8601 without months and years, or from a whole number of seconds; None if it is none."""
    text = str(value).strip()[:100]
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """ISO 8601, in whole minutes or seconds: PT8M."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    return f"PT{minutes}M" if not seconds else f"PT{minutes * 60 + seconds}S"


def _in_words(text: str) -> datetime | None:
    match = _WORDS.fullmatch(text)
    month = (match["month1"] or match["month2"]).lower() if match else ""
    if match is None or month not in _MONTHS:
        return None
    day = match["day1"] or match["day2"]
    iso = f"{match['year']}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{match['time']}{match['offset'] or ''}"
    try:
        return _utc(datetime.fromisoformat(iso))
    except ValueError:
        return None


def _utc(moment: datetime) -> datetime | None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not timedelta(days=400) < aware - datetime.min.replace(tzinfo=UTC) or aware.year > 9000:
        return None
    return aware.astimezone(UTC)


@cache
def _alpha_3() -> dict[str, str]:
    """ISO 3166-1 alpha-3 by alpha-2, from Unicode's CLDR."""
    codes = {}
    for old, new in sorted(get_global("territory_aliases").items()):
        if len(old) == 3 and old.isalpha() and old not in _GONE and len(new) == 1:
            codes[new[0]] = old
    return codes


@cache
def _countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 by alpha-3, alpha-2, and the names in English and French, in lower case."""
    codes = {three.lower(): two for two, three in _alpha_3().items()}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                codes.setdefault(name.lower(), code)
                codes.setdefault(code.lower(), code)
    return codes


def read_country(text: str) -> str | None:
    """ISO 3166-1 alpha-2 from a country's code or name; None if unknown."""
    return _countries().get(text.strip().lower())


def write_country(code: str) -> str:
    """ISO 3166-1 alpha-3, the key of countries in the EU's authority table; "" if the code is not a country."""
    return _alpha_3().get(code, "")
