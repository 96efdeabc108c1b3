"""Moments of others that no computation holds are refused where they come in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import pytest

from commensal.base.converting import convert, decode_json, read_day, read_moment

FAR = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9998-01-01T00:00:00Z", "0999-12-31T00:00:00Z")
USUAL = ("1000-01-01T00:00:00Z", "2026-06-04T10:00:00+02:00", "8999-12-31T23:59:59-12:00")


@dataclass(frozen=True)
class Sale:
    opens_at: tuple[datetime, ...] = ()
    day: date | None = None


@pytest.mark.parametrize("text", FAR)
def test_a_moment_out_of_all_reason_is_refused_wherever_it_comes_from(text: str) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in text)
    for sale in (f'{{"opens_at": ["{text}"]}}', f'{{"opens_at": ["{escaped}"]}}', f'{{"day": "{text[:10]}"}}'):
        with pytest.raises(msgspec.ValidationError, match="a year from 1000 to 8999"):
            decode_json(sale.encode(), Sale)
    with pytest.raises(msgspec.ValidationError, match="a year from 1000 to 8999"):
        convert({"day": text[:10]}, Sale)
    with pytest.raises(ValueError, match="between 1000 and 8999"):
        read_moment(text)
    with pytest.raises(ValueError, match="between 1000 and 8999"):
        read_day(text[:10])


@pytest.mark.parametrize("text", USUAL)
def test_moments_of_people_and_programs_are_read(text: str) -> None:
    sale = decode_json(f'{{"opens_at": ["{text}"], "day": "{text[:10]}"}}'.encode(), Sale)
    assert (sale.opens_at, sale.day) == ((datetime.fromisoformat(text),), date.fromisoformat(text[:10]))
    assert (read_moment(text), read_day(text[:10])) == (sale.opens_at[0], sale.day)
