"""Amounts as Stripe writes them, which are not always in the minor unit of ISO 4217.

Lists and exceptions: https://docs.stripe.com/currencies#minor-units
"""

from __future__ import annotations

from commensal import Refused, digits

_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))  # but the last digit must be 0
# The króna and the Ugandan shilling have no minor unit, and Stripe still wants two digits that are 00.


def to_stripe(amount: int, currency: str) -> int:
    """Our minor units as Stripe counts them. Raises `Refused` for an amount that Stripe cannot take."""
    ours, theirs = digits(currency), _digits(currency)
    counted, rest = divmod(amount * _power(theirs), _power(ours))
    if rest or (currency in _THOUSANDTHS and counted % 10):
        raise Refused("stripe_amount", "This amount cannot be paid in this way. Please choose another one.")
    return counted


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's count in our minor units; 0 where it is no whole number of them, which is nothing we have asked for."""
    counted, rest = divmod(amount * _power(digits(currency.upper())), _power(_digits(currency.upper())))
    return 0 if rest else counted


def _power(exponent: int) -> int:
    return (1, 10, 100, 1000)[exponent]


def _digits(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
