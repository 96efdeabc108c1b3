"""Formats amounts, numbers, quantities and moments for a language."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import NumberPattern, format_decimal, parse_pattern

from ..money import Money, digits
from ..units.measures import MEASURES

_ENGLISH = "en_GB"  # which has days before months and 24 hours, as usual in Europe
_KEPT = 10_000  # texts of each kind: a page shows the same prices and sizes again and again, and Babel takes its time


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(_ENGLISH if language == "en" else language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_ENGLISH)


@lru_cache(maxsize=_KEPT)
def language_name(language: str) -> str:
    """The language's name in itself, as people look for it in a list: Français."""
    name = _locale(language).get_language_name(language) or language
    return name[:1].upper() + name[1:]


def text_direction(language: str) -> str:
    """ "ltr", or "rtl" for a language that is written from right to left."""
    return str(_locale(language).text_direction)


@cache
def _pattern(language: str, places: int) -> NumberPattern:
    pattern = parse_pattern(str(_locale(language).currency_formats["standard"].pattern))
    pattern.frac_prec = (places, places)
    return pattern


@lru_cache(maxsize=_KEPT)
def format_money(amount: int, currency: str, language: str) -> str:
    """`amount` minor units of an ISO 4217 currency: 1 234,50 € in French, €1,234.50 in English."""
    places = digits(currency)
    value = Decimal(amount).scaleb(-places)
    return str(_pattern(language, places).apply(value, _locale(language), currency=currency, currency_digits=False))


@lru_cache(maxsize=_KEPT)
def format_number(value: Decimal | int, language: str) -> str:
    """The number with exactly its own digits: 1,87 in French, 1.87 in English."""
    return format_decimal(value, "#,##0.##########", locale=_locale(language))


def format_percent(rate: Decimal, language: str) -> str:
    """A rate in percent: 5,5 % in French, 5.5% in English."""
    return f"{format_number(rate, language)}{_percent_sign(language)}"


@cache
def _percent_sign(language: str) -> str:
    """The sign as the language writes it, after a narrow space where it has one."""
    return str(_locale(language).percent_formats[None].suffix[0]).replace("\u00a0", "\u202f")


_LARGER = {"Gram": "Kilogram", "Millilitre": "Litre"}  # a thousand of the one are one of the other
_IN_CENTILITRES = ("de", "fr")  # English shelves have millilitres; DFC has no centilitre


@lru_cache(maxsize=_KEPT)
def format_quantity(value: Decimal | int, unit: str, language: str) -> str:
    """A quantity in a DFC measure: 1,5 kg, 6 pièces, 2 bocaux. A `unit` that is not a measure is used as it is.

    Grams and millilitres are shown as on shelves: 1 000 g as 1 kg, and 750 mL as 75 cl where bottles say so.
    """
    larger = _LARGER.get(unit)
    if larger is not None and value >= 1000:
        value, unit = Decimal(value) / 1000, larger
    elif unit == "Millilitre" and language in _IN_CENTILITRES and value >= 100 and value % 10 == 0:
        value, unit = Decimal(value) / 10, "Centilitre"
    if unit == "Centilitre" and language in _IN_CENTILITRES:
        return f"{format_number(value, language)}\u00a0cl"
    measure = MEASURES.get(unit)
    word = unit if measure is None else measure.symbol or measure.label(language)
    if measure is not None and not measure.symbol:
        word = _package(word, value, language)
    return f"{format_number(value, language)}\u00a0{word}"


def _package(word: str, value: Decimal | int, language: str) -> str:
    """The name of a measure in the form for a number of it. In languages that DFC has no names for, the catalogue
    translates the English one."""
    if language == "fr":
        return _plural_fr(word) if value >= 2 else word
    if language == "en":
        return _plural_en(word) if value != 1 else word
    from .catalogs import plural  # it imports this module

    return plural(language, word, _plural_en(word), 1 if value == 1 else 2)


def _plural_fr(words: str) -> str:
    """The plural of a measure's name; only its first word changes: boîtes de conserve."""
    first, space, rest = words.partition(" ")
    if first.endswith("al"):
        first = f"{first[:-2]}aux"
    elif first.endswith("eau"):
        first = f"{first}x"
    elif not first.endswith("s"):
        first = f"{first}s"
    return f"{first}{space}{rest}"


def _plural_en(word: str) -> str:
    return f"{word}es" if word.endswith(("x", "ch")) else f"{word}s"


@lru_cache(maxsize=_KEPT)
def format_day(at: datetime, timezone: str, language: str) -> str:
    """The day of an aware moment in an IANA time zone, in full: jeudi 4 juin 2026."""
    day = at.astimezone(ZoneInfo(timezone))
    return _with_ordinal(format_date(day, "full", locale=_locale(language)), day, language)


@lru_cache(maxsize=_KEPT)
def format_short_day(day: date, language: str) -> str:
    """A day of the week on a calendar: jeu. 4, Thu 4."""
    return _with_ordinal(format_date(day, "EEE d", locale=_locale(language)), day, language)


@lru_cache(maxsize=_KEPT)
def format_short_moment(at: datetime, timezone: str, language: str) -> str:
    """Day and time of an aware moment in an IANA time zone, where there is little room: jeu. 4 juin, 12:00."""
    day = at.astimezone(ZoneInfo(timezone))
    text = _with_ordinal(format_skeleton("MMMEd", day, locale=_locale(language)), day, language)
    return f"{text}, {format_hour(at, timezone, language)}"


def _with_ordinal(text: str, day: date, language: str) -> str:
    """French calls the first of a month by its ordinal, which the patterns of CLDR do not know: mardi 1er décembre."""
    return re.sub(r" 1(?= |$)", " 1er", text, count=1) if language == "fr" and day.day == 1 else text


def format_moment(at: datetime, timezone: str, language: str) -> str:
    """Day and time of an aware moment in an IANA time zone: jeudi 4 juin 2026, 12:00."""
    return f"{format_day(at, timezone, language)}, {format_hour(at, timezone, language)}"


def format_span(begins: datetime, ends: datetime, timezone: str, language: str, *, short: bool = False) -> str:
    """Begin and end, with the day only once if it is the same: jeudi 4 juin 2026, 17:00 – 19:00. Where there is little
    room, `short` makes of it jeu. 4 juin, 17:00 – 19:00.

    No line begins with the dash. Within a day none ends with it either, which takes a word joiner (U+2060): a line may
    break between a dash and a no-break space (UAX 14, LB12a).
    """
    same_day = format_day(begins, timezone, language) == format_day(ends, timezone, language)
    of_moment = format_short_moment if short else format_moment
    end = format_hour(ends, timezone, language) if same_day else of_moment(ends, timezone, language)
    dash = "\u00a0–\u2060\u00a0" if same_day else "\u00a0– "
    return f"{of_moment(begins, timezone, language)}{dash}{end}"


def format_value(value: object, language: str) -> object:
    """A value for use in a sentence: money and decimals in the language's format, anything else unchanged."""
    if isinstance(value, Money):
        return format_money(value.amount, value.currency, language)
    return format_number(value, language) if isinstance(value, Decimal) else value


@lru_cache(maxsize=_KEPT)
def format_hour(at: datetime, timezone: str, language: str) -> str:
    """The time of day of an aware moment in an IANA time zone: 17:00."""
    return format_time(at.astimezone(ZoneInfo(timezone)), "short", locale=_locale(language))
