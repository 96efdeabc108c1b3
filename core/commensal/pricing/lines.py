"""Works out what lines cost, their VAT, and what the customer pays: exact arithmetic, rounded once at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from ..base.money import half_up
from .values import OrderDraft, PricedLine, Totals, VatShare

_FINEST = Decimal("0.001")  # of a share of a weight


def amount_of(line: PricedLine) -> int:
    """Returns what the line costs without its deposit, in minor units, with or without VAT like the shop's prices.

    A weighed line costs the share of its weight in the price: a bag of 2 kg for 5.00 that weighs 1.870 kg costs 4.68
    (467.5 is rounded up). The number of pieces does not matter then: they were weighed together. Where the customer was
    told how much more they may weigh, they pay for no more than that.
    """
    if line.final_quantity is None:
        return amount_of_pieces(line.price, line.quantity)
    weight = Fraction(line.final_quantity)
    if line.weight_tolerance is not None:
        weight = min(weight, Fraction(heaviest(line)))
    return half_up(line.price * weight / Fraction(line.unit_quantity))


def heaviest(line: PricedLine) -> Decimal:
    """Returns what the line's pieces may weigh by its tolerance, in its unit."""
    return line.unit_quantity * line.quantity * (1 + (line.weight_tolerance or Decimal(0)) / 100)


def lightest(line: PricedLine) -> Decimal:
    """Returns the least that the line's pieces weigh by its tolerance, in its unit."""
    return line.unit_quantity * line.quantity * (1 - (line.weight_tolerance or Decimal(0)) / 100)


def amount_of_pieces(price: int, quantity: int) -> int:
    """Returns what pieces that nobody has weighed cost, in the minor units of their `price` for one."""
    return price * quantity


def deposit_of(line: PricedLine) -> int:
    """Returns the deposit for the line's pieces, in minor units. It depends on the containers, not on their weight."""
    return line.deposit * line.quantity


def with_amount(line: PricedLine) -> PricedLine:
    """Returns the line with its amount worked out."""
    amount = amount_of(line)
    return line if amount == line.amount else replace(line, amount=amount)


def with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    """Returns the line with that many pieces, and its amount worked out.

    Fewer pieces have their share of the line's weight until somebody weighs them again: by the weight that was only
    expected they could take more from the lot than all pieces took before. More pieces have no known weight.
    """
    if quantity == line.quantity:
        return line
    weight = None
    if line.final_quantity is not None and 0 < quantity < line.quantity:
        weight = (line.final_quantity * quantity / line.quantity).quantize(_FINEST, rounding=ROUND_DOWN)
    return with_amount(replace(line, quantity=quantity, final_quantity=weight))


# VAT: amounts are summed up for each rate, then VAT is worked out once.
#
# Rounding line by line gives different sums in almost half of all baskets. So the amounts of one rate are added first
# and rounded once, half up (EN 16931, BR-CO-17). If prices include VAT, the agreed price is gross and stays
# unchanged: net is worked out and VAT is the difference. If VAT is added, the agreed price is net.


def vat_shares(order: OrderDraft) -> tuple[VatShare, ...]:
    """Returns net and VAT of the order's lines and adjustments for each rate, lowest rate first.

    Deposits and adjustments without a rate are outside VAT and belong to no share.
    """
    shares = (split(amount, rate, order.prices_include_vat) for rate, amount in sorted(by_rate(order).items()))
    return tuple(share for share in shares if share.net or share.vat)


def by_rate(order: OrderDraft) -> dict[Decimal, int]:
    """Returns the sum of lines and adjustments for each rate, in minor units; net or gross like the order's prices."""
    sums: dict[Decimal, int] = {}
    for rate, amount in _rated(order):
        sums[rate] = sums.get(rate, 0) + amount
    return sums


def split(amount: int, rate: Decimal, included: bool) -> VatShare:
    """Returns net and VAT of `amount` at `rate` percent. `included`: the amount is gross; otherwise it is net."""
    share = Fraction(rate) / 100
    if included:
        net = half_up(amount / (1 + share))
        return VatShare(rate=rate, net=net, vat=amount - net)
    return VatShare(rate=rate, net=amount, vat=half_up(amount * share))


def _rated(order: OrderDraft) -> Iterable[tuple[Decimal, int]]:
    for line in order.lines:
        yield line.vat_rate, line.amount
    for adjustment in order.adjustments:
        if adjustment.vat_rate is not None:
            yield adjustment.vat_rate, adjustment.amount


# Adds up what the customer pays.


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
