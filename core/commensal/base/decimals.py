"""Decimals that others write. A short text, 1e-999999999, can name a number with whose digits no computer comes to an
end: `Fraction` and `int` write them out, and arithmetic overflows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation

import msgspec

MOST_DIGITS = 30  # before the point, and after it
_SUSPICIOUS = re.compile(rb"[eE][-+]?[0-9]{2}|[0-9]{30}")  # as many as MOST_DIGITS


def read_decimal(text: str) -> Decimal:
    """The number that a person typed. Raises `InvalidOperation` for a text that is none, or one with more digits than
    `MOST_DIGITS`. NaN and infinities are numbers; `Decimal.is_finite` tells."""
    number = Decimal(text)
    if not is_short(number):
        raise InvalidOperation
    return number


def is_short(number: Decimal) -> bool:
    """Whether the number has at most `MOST_DIGITS` digits on each side of its point; true for NaN and infinities."""
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, str) or (exponent >= -MOST_DIGITS and len(digits) + exponent <= MOST_DIGITS)


def may_be_long(content: bytes) -> bool:
    """Whether JSON could hold such a number. Most has none, and need not be searched with `decimals_in`."""
    return _SUSPICIOUS.search(content) is not None


def decimals_in(value: object, path: str = "$") -> Iterator[tuple[str, Decimal]]:
    """All decimals in an object, its fields and what they hold, with their paths as msgspec writes them."""
    if isinstance(value, Decimal):
        yield path, value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from decimals_in(inner, f"{path}[...]")
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from decimals_in(inner, f"{path}[{position}]")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from decimals_in(getattr(value, name), f"{path}.{name}")
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from decimals_in(getattr(value, field.name), f"{path}.{field.name}")
