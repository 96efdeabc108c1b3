"""Numbers, moments and countries, in the spellings in which platforms send them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache

from babel import Locale
from babel.core import get_global

MOST = Decimal(10) ** 15  # no number of food is larger; nor has any more digits than this after the point
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?")
_FINEST = -18
_WORDS = re.compile(
    r"(?:[A-Za-z]{3},? )?(?:(?P<day1>\d{1,2}) (?P<month1>[A-Za-z]{3})|(?P<month2>[A-Za-z]{3}) (?P<day2>\d{1,2})) "
    r"(?P<year>\d{4}) (?P<time>\d{2}:\d{2}(?::\d{2})?) ?(?:UTC|GMT|Z)?(?P<offset>[+-]\d{4})?(?: \(.{1,60}\))?"
)
_GONE = {"BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"}  # codes of countries that are no more, or have another name
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_number(value: object) -> Decimal | None:
    """A number from a JSON number or a string; None for what is none, or for one that is absurd (1e400)."""
    if isinstance(value, bool):
        return None
    text = repr(value) if isinstance(value, float) else str(value).strip()
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if abs(number) >= MOST or not isinstance(exponent, int):
        return None
    if exponent < _FINEST:  # noise of binary fractions
        number = round(number, -_FINEST)
    return number


def write_number(number: Decimal) -> str:
    """Without an exponent, and without zeros at the end of its decimals."""
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def read_moment(value: object) -> datetime | None:
    """A moment in UTC from ISO 8601, from what JavaScript, Ruby and e-mail make of dates, or from a day alone.

    Without an offset it is taken for UTC. None for what is no date.
    """
    text = str(value).strip()[:100]
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC").replace(" +", "+"))
    except ValueError:
        return _in_words(text)
    return _utc(moment)


def write_moment(moment: datetime) -> str:
    """ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _in_words(text: str) -> datetime | None:
    found = _WORDS.fullmatch(text)
    month = (found["month1"] or found["month2"]).lower() if found else ""
    if found is None or month not in _MONTHS:
        return None
    day = found["day1"] or found["day2"]
    iso = f"{found['year']}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{found['time']}{found['offset'] or ''}"
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
    known = {}
    for old, new in sorted(get_global("territory_aliases").items()):
        if len(old) == 3 and old.isalpha() and old not in _GONE and len(new) == 1:
            known[new[0]] = old
    return known


@cache
def _countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 by alpha-3, alpha-2, and the names in English and French, in small letters."""
    known = {three.lower(): two for two, three in _alpha_3().items()}
    for language in ("en", "fr"):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                known.setdefault(name.lower(), code)
                known.setdefault(code.lower(), code)
    return known


def read_country(text: str) -> str | None:
    """ISO 3166-1 alpha-2 from one of its codes or names; None where none is known."""
    return _countries().get(text.strip().lower())


def write_country(code: str) -> str:
    """ISO 3166-1 alpha-3, as the authority table of the European Union names countries; "" for what is no country."""
    return _alpha_3().get(code, "")
