"""Money: whole minor units of one ISO 4217 currency. Rates are decimals; halves are rounded up, away from zero."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import cache

from .converting import read_decimal
from .errors import Problem

# ISO 4217 currencies whose minor unit is not a hundredth; all others have two digits.
_DIGITS = {
    "BIF": 0,
    "CLP": 0,
    "DJF": 0,
    "GNF": 0,
    "ISK": 0,
    "JPY": 0,
    "KMF": 0,
    "KRW": 0,
    "PYG": 0,
    "RWF": 0,
    "UGX": 0,
    "VND": 0,
    "VUV": 0,
    "XAF": 0,
    "XOF": 0,
    "XPF": 0,
    "BHD": 3,
    "IQD": 3,
    "JOD": 3,
    "KWD": 3,
    "LYD": 3,
    "OMR": 3,
    "TND": 3,
}
LARGEST = 10**12  # minor units: ten billion euros, more than any price of food, and sums stay far below 64 bits


def digits(currency: str) -> int:
    """The number of decimal digits of an ISO 4217 currency."""
    return _DIGITS.get(currency, 2)


def half_up(value: Decimal | Fraction) -> int:
    """Rounds to the nearest whole number, halves away from zero (as EN 16931 does)."""
    if isinstance(value, Fraction):
        sign = -1 if value < 0 else 1
        return sign * int(abs(value) + Fraction(1, 2))
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, order=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency. Raises `ValueError` when currencies are mixed."""

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: int) -> Money:
        return Money(self.amount * factor, self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other.amount

    def __str__(self) -> str:
        places = digits(self.currency)
        return f"{Decimal(self.amount).scaleb(-places):.{places}f} {self.currency}"


@dataclass(frozen=True)
class MinorUnits:
    """Marks a whole number in a plugin's settings as an amount of the enterprise's money, in minor units:
    ``price: Annotated[int, MinorUnits()]``. Forms show and read it as people write it: 12,50."""


@dataclass(frozen=True)
class PaidTo:
    """Marks a text in a plugin's settings as a part of the account to which money goes: ``iban: Annotated[str,
    PaidTo()]``. Where an enterprise has two people for its money, both have to agree to another one."""


_GAP = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")  # a space before three digits, as amounts are printed


def price_problem(price: int, where: str = "") -> Problem | None:
    """What is wrong with a price in minor units, for the field `where`; None for one that is possible."""
    if price < 0:
        return Problem("price", "A price cannot be less than zero.", where)
    return Problem("price", "This is larger than any price.", where) if price > LARGEST else None


@cache
def _sign(currency: str) -> str:
    """The sign that amounts of the currency are shown with, such as €."""
    from babel.numbers import get_currency_symbol  # slow to import, and few commands read amounts

    return get_currency_symbol(currency, locale="en")


def read_amount(text: str, currency: str) -> int | Problem:
    """The minor units of an amount that a person typed: "2", "2.50", "2,50", "4 788,06" or "2,50 €"; or a `Problem`.

    Fractions of a minor unit are refused and not rounded, so that nobody is charged another amount than they read.
    """
    bare = text.strip().removesuffix(currency).removesuffix(_sign(currency)).removeprefix(_sign(currency)).strip()
    plain = _GAP.sub("", bare).replace("\u00a0", "").replace("\u202f", "").replace(",", ".")
    places = digits(currency)
    try:
        value = read_decimal(plain)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or "e" in plain.lower():  # nobody types 1e5: a program has rounded a cell to it
        return Problem("not_a_number", "{text!r} is not a number; write it like 2.50.", values={"text": text[:40]})
    if abs(value) >= LARGEST:
        return Problem("too_large", "{text!r} is too large for a price.", values={"text": text[:40]})
    minor = value.scaleb(places)
    if minor != minor.to_integral_value():
        return Problem(
            "fraction", "{text!r} has more than {places} decimals.", values={"text": text[:40], "places": places}
        )
    return int(minor)
