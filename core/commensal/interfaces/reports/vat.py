"""Net and VAT of sums in reports, by the one rule that orders follow."""

from __future__ import annotations

from decimal import Decimal

from ...trade.pricing.values import VatShare
from ...trade.pricing.vat import split


def net_and_vat(amount: int, rate: Decimal, included: bool) -> VatShare:
    """Of a sum of amounts at one rate in percent, rounded once; `included`: VAT is in it, else it comes on top.

    Add up first, then split: what is split line by line adds up to something else. Sums over many orders may therefore
    differ by cents from those of the segment "vat", where each order's VAT is as its customer's receipt says it.
    """
    return split(amount, rate, included)
