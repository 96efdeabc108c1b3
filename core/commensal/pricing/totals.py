"""Adds up what the customer pays."""

from __future__ import annotations

from .lines import deposit_of
from .values import OrderDraft, Totals
from .vat import vat_shares


def totals(order: OrderDraft) -> Totals:
    """Adds up a priced order, in minor units of its currency.

    Every adjustment counts towards the customer's total, whoever its payer is. A payer other than the customer owes the
    opposite amount to the payee, so that the goods are paid for in full: goods for 20.00 with a subsidy of -5.00 by a
    fund cost the customer 15.00 and the fund 5.00. VAT is then due on the 20.00, because what a third party pays is
    part of the price (directive 2006/112/EC, art. 73): such an adjustment has no rate.
    """
    products = sum(line.amount for line in order.lines)
    deposits = sum(deposit_of(line) for line in order.lines)
    adjustments = sum(adjustment.amount for adjustment in order.adjustments)
    shares = vat_shares(order)
    vat = sum(share.vat for share in shares)
    return Totals(
        products=products,
        deposits=deposits,
        adjustments=adjustments,
        vat=vat,
        total=products + deposits + adjustments + (0 if order.prices_include_vat else vat),
        shares=shares,
    )
