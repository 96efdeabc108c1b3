"""Whether prices have VAT in them. DFC has no word for it: ours says it, and where it is missing people have said it.

Platforms that do not know the word take a price as what their customer pays, so all prices that we write have VAT.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from commensal import half_up

from .vocabulary import DfcPrice

INCLUDES_VAT = "own:includesVAT"


def amount_as(amount: int, rate: Decimal, *, has_vat: bool, with_vat: bool) -> int:
    """The same price with VAT or without, in minor units; `has_vat` is whether `amount` has it. A price without VAT
    that is written with it and read again is the same."""
    if has_vat == with_vat:
        return amount
    factor = 1 + Fraction(rate) / 100
    return half_up(amount * factor if with_vat else amount / factor)


def gross_price(amount: int, currency: str, rate: Decimal, *, has_vat: bool) -> DfcPrice:
    """The price as documents of ours have it: with VAT, which it says."""
    gross = amount_as(amount, rate, has_vat=has_vat, with_vat=True)
    return DfcPrice(amount=gross, currency=currency, vat_rate=rate, includes_vat=True)


@dataclass(frozen=True, kw_only=True)
class PriceBasis:
    """How prices of a document are read.

    with_vat: whether the reader's own prices have VAT
    unsaid:   whether a price has VAT that does not say so itself
    rate:     of goods that name none, in percent; None: unknown
    """

    with_vat: bool
    unsaid: bool = True
    rate: Decimal | None = None

    def read(self, price: DfcPrice, rate: Decimal | None) -> DfcPrice | None:
        """The price with VAT or without as the reader's are; `rate` is that of the goods. None if it is not known."""
        has_vat = self.unsaid if price.includes_vat is None else price.includes_vat
        if has_vat == self.with_vat:
            return price
        known = next((each for each in (rate, price.vat_rate, self.rate) if each is not None), None)
        if known is None:
            return None
        amount = amount_as(price.amount, known, has_vat=has_vat, with_vat=self.with_vat)
        return replace(price, amount=amount, includes_vat=self.with_vat)


WITH_VAT = PriceBasis(with_vat=True)
