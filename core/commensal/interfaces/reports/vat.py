"""Splits sums of reports into net and VAT, by the same rule as orders."""

from __future__ import annotations

from decimal import Decimal

from ...trade.pricing.values import VatShare
from ...trade.pricing.vat import split


def net_and_vat(amount: int, rate: Decimal, included: bool) -> VatShare:
    """Net and VAT of a sum of amounts (minor units) at one rate in percent, rounded once. `included`: the sum contains
    the VAT; otherwise the VAT is added to it.

    Add up first, then split: splitting line by line rounds each line. Sums over many orders may therefore differ by
    cents from those of the segment "vat", which has the VAT of each order as on its customer's receipt.
    """
    return split(amount, rate, included)
