"""Splits sums of reports into net and VAT, by the same rule as orders."""

from __future__ import annotations

from decimal import Decimal

from ...pricing.values import VatShare
from ...pricing.vat import split


def net_and_vat(amount: int, rate: Decimal, included: bool) -> VatShare:
    """Net and VAT of a sum of amounts (minor units) at one rate in percent, rounded once. `included`: the sum contains
    the VAT; otherwise the VAT is added to it.

    Add up first, then split: splitting line by line rounds each line. For what customers pay, take the fields `net`,
    `vat` and `gross` of lines and adjustments instead: they add up to the VAT of each order, as on its receipt, from
    which the VAT of a sum over many orders may differ by cents.
    """
    return split(amount, rate, included)
