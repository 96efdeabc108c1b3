"""Amounts as Stripe writes them, which are not always in the minor unit of ISO 4217.

Lists and exceptions: https://docs.stripe.com/currencies#minor-units
"""

from __future__ import annotations

from commensal import Refused, digits

_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))  # but the last digit must be 0
# The króna and the Ugandan shilling have no minor unit, but Stripe requires two digits, which must be 00.


def to_stripe(amount: int, currency: str) -> int:
    """Converts minor units to Stripe's amount. Raises `Refused` for an amount that Stripe cannot take."""
    our_digits, stripe_digits = digits(currency), _digits(currency)
    stripe_amount, remainder = divmod(amount * _power(stripe_digits), _power(our_digits))
    if remainder or (currency in _THOUSANDTHS and stripe_amount % 10):
        raise Refused("stripe_amount", "This amount cannot be paid in this way. Please choose another one.")
    return stripe_amount


def from_stripe(amount: int, currency: str) -> int:
    """Converts Stripe's amount to minor units; 0 if it is no integer, since we never ask for such an amount."""
    own_amount, remainder = divmod(amount * _power(digits(currency.upper())), _power(_digits(currency.upper())))
    return 0 if remainder else own_amount


def _power(exponent: int) -> int:
    return (1, 10, 100, 1000)[exponent]


def _digits(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
