"""Numbers that others write. A short text, 1e-999999999, can name a number with whose digits no computer comes to an
end: `Fraction` and `int` write them out, and arithmetic overflows."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

MOST_DIGITS = 30  # before the point, and after it


def read_decimal(text: str) -> Decimal:
    """The number that a person typed. Raises `InvalidOperation` for a text that is none, or one with more digits than
    `MOST_DIGITS`. NaN and infinities are numbers; `Decimal.is_finite` tells."""
    number = Decimal(text)
    if not is_short(number):
        raise InvalidOperation
    return number


def read_whole(text: str, digits: int = 9, *, signed: bool = False) -> int | None:
    """The whole number that a text is, 0 or more, or with a minus below 0 if `signed`; None for any other text, and for
    one with more digits. A plus, a space and digits of other scripts are none."""
    plain = text.removeprefix("-") if signed else text
    return int(text) if plain.isascii() and plain.isdigit() and len(plain) <= digits else None


def is_short(number: Decimal) -> bool:
    """Whether the number has at most `MOST_DIGITS` digits on each side of its point; true for NaN and infinities."""
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, str) or (exponent >= -MOST_DIGITS and len(digits) + exponent <= MOST_DIGITS)
