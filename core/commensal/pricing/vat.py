"""VAT: amounts are summed up for each rate, then VAT is worked out once.

Rounding line by line gives different sums in almost half of all baskets. So the amounts of one rate are added first and
rounded once, half up (EN 16931, BR-CO-17). If prices include VAT, the agreed price is gross and stays unchanged: net is
worked out and VAT is the difference. If VAT is added, the agreed price is net.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from ..base.money import half_up
from .values import OrderDraft, VatShare


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
