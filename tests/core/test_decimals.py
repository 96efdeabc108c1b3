"""Numbers of others are refused before anything computes with a billion digits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
import pytest

from commensal.base.converting import convert, decode_json, read_decimal, read_whole
from commensal.base.errors import Problem
from commensal.base.money import read_amount

ENDLESS = ("1e999999999", "-1e999999999", "1e-999999999", "0e-999999999", "1E+31", "9" * 31, "0." + "1" * 31)
USUAL = ("12.50", "-3", "1e3", "0.000001", "123456789012.123456789012", "NaN", "Infinity")


@dataclass(frozen=True)
class Rule:
    margin: Decimal


@dataclass(frozen=True)
class Rules:
    rules: dict[str, tuple[Rule, ...]]


@pytest.mark.parametrize("text", ENDLESS)
def test_a_number_with_endless_digits_is_refused_wherever_it_comes_from(text: str) -> None:
    with pytest.raises(InvalidOperation):
        read_decimal(text)
    assert isinstance(read_amount(text, "EUR"), Problem)
    escaped = "".join(f"\\u{ord(character):04x}" for character in text)
    for written in (text, f'"{text}"', f'"{escaped}"'):
        with pytest.raises(msgspec.ValidationError, match="30 digits"):
            decode_json(f'{{"rules": {{"a": [{{"margin": {written}}}]}}}}'.encode(), Rules)
    with pytest.raises(msgspec.ValidationError, match="30 digits"):
        convert({"margin": text}, Rule)


@pytest.mark.parametrize("text", USUAL)
def test_numbers_of_people_and_programs_are_read(text: str) -> None:
    assert str(read_decimal(text)) == str(Decimal(text))
    assert str(decode_json(f'{{"margin": "{text}"}}'.encode(), Rule).margin) == str(Decimal(text))


def test_a_whole_number_has_digits_alone_and_not_more_of_them_than_are_wanted() -> None:
    assert [read_whole(text) for text in ("0", "007", "123456789")] == [0, 7, 123456789]
    refused = ("", " 7", "+7", "-7", "7.0", "1e3", "1_000", "\u0661", "\u00b2", "1234567890")
    assert [text for text in refused if read_whole(text) is not None] == []
    assert (read_whole("1234", 4), read_whole("1234", 3)) == (1234, None)
    assert [read_whole(text, signed=True) for text in ("-7", "7", "--7", "-", "- 7")] == [-7, 7, None, None, None]


def test_no_page_reads_a_number_in_a_way_of_its_own() -> None:
    """What is a digit to `str.isdigit` need not be a number to `int`, which also refuses one of 5,000 digits."""
    root = Path(__file__).parents[2]
    files = [file for folder in ("plugins", "core/commensal/parts/pages") for file in (root / folder).rglob("*.py")]
    files += (root / "federation/commensal_federation/office").rglob("*.py")
    own_way = re.compile(r"\bint\(.*\.is(digit|decimal)\(|isascii\(\).*\.is(digit|decimal)\(")
    places = {
        f"{file.relative_to(root)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if own_way.search(line)
    }
    assert {where for where in places if not where.startswith("plugins/commensal_office/frame/sessions.py")} == set()
