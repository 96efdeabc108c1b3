"""What codes do to the price: discounts are spread over the rates of the goods, gift cards pay what is left."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from commensal import (
    CUSTOMER,
    Adjustment,
    Invalid,
    OrderDraft,
    Phase,
    PricedLine,
    Problem,
    Transaction,
    half_up,
    hookimpl,
    kinds_of,
    lineage,
    translate,
)

from .codes import CARD, is_card, tail
from .questions import Found, found_for
from .reasons import below_minimum, card_problem, voucher_problem
from .splitting import in_proportion
from .voucher import Voucher


@hookimpl
def price_adjustments(tx: Transaction, order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """One statement for an order with codes of the phase, and none for others.

    Discounts count among vouchers. Gift cards come with the subsidies, after those of plugins whose names stand before
    ours: whoever pays pays what the others have left. Raises `Invalid` that says what is against each code.
    """
    if not order.codes or phase not in (Phase.VOUCHER, Phase.SUBSIDY):
        return None
    codes = [code for code in order.codes if is_card(code) == (phase is Phase.SUBSIDY)]
    if not codes:
        return None
    found = found_for(tx, order, codes)
    price = _pay if phase is Phase.SUBSIDY else _spare
    return price(tx, order, found)


@hookimpl
def order_problems(tx: Transaction, order: OrderDraft) -> Sequence[Problem] | None:
    """A customer who changes an order must leave enough in it for the codes that it has."""
    kept = [code for code in order.codes if code in order.codes_before and not is_card(code)]
    if not kept:
        return None
    found = found_for(tx, order, kept)
    return [problem for one in found.values() if (problem := below_minimum(one.voucher, order)) is not None]


def _spare(tx: Transaction, order: OrderDraft, found: dict[str, Found]) -> list[Adjustment]:
    problems, spared = [], list[Adjustment]()
    for code, one in found.items():
        goods = _goods_by_rate(tx, order, one.voucher)
        if code in order.codes_before:
            if one.held or voucher_problem(tx, order, found, one, goods) is None:
                spared += _discounts(order, one.voucher, goods)
            else:
                spared.append(_nothing(Phase.VOUCHER, one.voucher, order))
        elif problem := voucher_problem(tx, order, found, one, goods):
            problems.append(problem)
        else:
            spared += _discounts(order, one.voucher, goods)
    if problems:
        raise Invalid(problems)
    return spared


def _pay(tx: Transaction, order: OrderDraft, found: dict[str, Found]) -> list[Adjustment]:
    """All that there is; the core cuts what would be more than is left to pay."""
    problems, paid = [], list[Adjustment]()
    for code, one in found.items():
        there = (one.voucher.balance or 0) + one.taken
        problem = None if code in order.codes_before else card_problem(tx, order, one)
        if problem is not None:
            problems.append(problem)
        elif there:
            label = translate(order.language, "Gift card {code}").format(code=tail(code))
            paid.append(
                Adjustment(
                    phase=Phase.SUBSIDY, kind="gift_card", label=label, amount=-there, payer=f"{CARD}{tail(code)}",
                    code=code,
                )
            )  # fmt: skip
        else:
            paid.append(_nothing(Phase.SUBSIDY, one.voucher, order))
    if problems:
        raise Invalid(problems)
    return paid


def _discounts(order: OrderDraft, voucher: Voucher, goods: dict[Decimal, int]) -> list[Adjustment]:
    """One for each rate; what a single rate has is not split."""
    whole = sum(goods.values())
    if voucher.percent is None:
        amount = min(voucher.amount or 0, whole)
    else:
        amount = half_up(whole * Fraction(voucher.percent) / 100)
        amount = amount if voucher.most is None else min(amount, voucher.most)
    shares = {rate: share for rate, share in in_proportion(amount, goods).items() if share}
    if not shares:
        return [_nothing(Phase.VOUCHER, voucher, order)]
    label = _label(voucher, order)
    return [
        Adjustment(phase=Phase.VOUCHER, kind="voucher", label=label, amount=-share, vat_rate=rate, code=voucher.code)
        for rate, share in shares.items()
    ]


def _nothing(phase: Phase, voucher: Voucher, order: OrderDraft) -> Adjustment:
    """The code is known, and does nothing to this order any more: the core leaves the adjustment out."""
    payer = CUSTOMER if phase is Phase.VOUCHER else CARD
    label = _label(voucher, order)
    return Adjustment(phase=phase, kind="voucher", label=label, amount=0, payer=payer, code=voucher.code)


def _label(voucher: Voucher, order: OrderDraft) -> str:
    return translate(order.language, "Voucher {code}").format(code=voucher.code)


def _goods_by_rate(tx: Transaction, order: OrderDraft, voucher: Voucher) -> dict[Decimal, int]:
    """What the goods that the voucher is for cost at each rate, after discounts; lowest rate first."""
    lines = _eligible(tx, order.lines, voucher)
    ids = {line.id for line in lines}
    sums: dict[Decimal, int] = {}
    for line in lines:
        sums[line.vat_rate] = sums.get(line.vat_rate, 0) + line.amount
    for one in order.adjustments:
        of_ours = one.line_id in ids or (one.line_id is None and not voucher.product_types)
        if one.phase is Phase.DISCOUNT and of_ours and one.vat_rate in sums:
            sums[one.vat_rate] += one.amount
    return {rate: sums[rate] for rate in sorted(sums) if sums[rate] > 0}


def _eligible(tx: Transaction, lines: Sequence[PricedLine], voucher: Voucher) -> Sequence[PricedLine]:
    if not voucher.product_types:
        return lines
    kinds, wanted = kinds_of(tx, {line.product_id for line in lines}), frozenset(voucher.product_types)
    return [
        line
        for line in lines
        if line.product_id in kinds and any(one.term in wanted for one in lineage(kinds[line.product_id].product_type))
    ]
