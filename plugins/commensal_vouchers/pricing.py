"""The effect of codes on the price: discounts are spread over the goods' VAT rates, gift cards pay what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import delete, func, or_, select, update

from commensal import (
    CUSTOMER,
    Adjustment,
    Conflict,
    Invalid,
    OrderDraft,
    Phase,
    PricedLine,
    Problem,
    Transaction,
    half_up,
    hookimpl,
    insert_once,
    kinds_of,
    lineage,
    only_for,
    translate,
)

from .codes import CARD, Voucher, holder_of, is_card, is_discount, tail
from .issuing import spend
from .proportion import in_proportion
from .questions import CodeMatch, matches_for
from .reasons import below_minimum, card_problem, voucher_problem
from .sold_cards import KIND, are_cards_paid_for, bind_sales, card_adjustments, release_sales
from .tables import vouchers_movement, vouchers_use, vouchers_voucher


@hookimpl
@only_for(phase=(Phase.VOUCHER, Phase.SUBSIDY, Phase.PREPAID))
def price_adjustments(tx: Transaction, order: OrderDraft, phase: Phase) -> Sequence[Adjustment] | None:
    """Runs one statement for an order with codes of this phase, and none for others.

    Discounts belong to the phase of vouchers. Gift cards that pay belong to that of subsidies, after plugins whose ids
    sort before ours: each payer pays what the others leave. Gift cards that the order buys come last. Raises `Invalid`
    with the reason against each code.
    """
    if not order.codes:
        return None
    if phase is Phase.PREPAID:
        return card_adjustments(tx, order)
    codes = [code for code in order.codes if (is_card if phase is Phase.SUBSIDY else is_discount)(code)]
    if not codes:
        return None
    matches = matches_for(tx, order, codes)
    price = _pay_with_cards if phase is Phase.SUBSIDY else _discount
    return price(tx, order, matches)


@hookimpl
def order_problems(tx: Transaction, order: OrderDraft) -> Sequence[Problem] | None:
    """Returns problems if the customer's change leaves fewer goods than the order's codes require."""
    kept_codes = [code for code in order.codes if code in order.codes_before and is_discount(code)]
    if not kept_codes:
        return None
    matches = matches_for(tx, order, kept_codes)
    return [problem for match in matches.values() if (problem := below_minimum(match.voucher, order)) is not None]


def _discount(tx: Transaction, order: OrderDraft, matches: dict[str, CodeMatch]) -> list[Adjustment]:
    problems, adjustments = [], list[Adjustment]()
    for code, match in matches.items():
        goods = _goods_by_rate(tx, order, match.voucher)
        if code in order.codes_before:
            if match.held or voucher_problem(tx, order, matches, match, goods) is None:
                adjustments += _discounts(order, match.voucher, goods)
            else:
                adjustments.append(_no_effect(Phase.VOUCHER, match.voucher, order))
        elif problem := voucher_problem(tx, order, matches, match, goods):
            problems.append(problem)
        else:
            adjustments += _discounts(order, match.voucher, goods)
    if problems:
        raise Invalid(problems)
    return adjustments


def _pay_with_cards(tx: Transaction, order: OrderDraft, matches: dict[str, CodeMatch]) -> list[Adjustment]:
    """Offers the whole balance of each card that is paid for; the core cuts what exceeds the amount left to pay."""
    problems, adjustments = [], list[Adjustment]()
    for code, match in matches.items():
        bought_with = match.bought_with
        is_paid = bought_with is None or are_cards_paid_for(tx, order.enterprise_id, bought_with)
        available = (match.voucher.balance or 0) * is_paid + match.taken
        problem = None if code in order.codes_before else card_problem(tx, order, match, is_paid=is_paid)
        if problem is not None:
            problems.append(problem)
        elif available:
            label = translate(order.language, "Gift card {code}").format(code=tail(code))
            adjustments.append(
                Adjustment(
                    phase=Phase.SUBSIDY,
                    kind="gift_card",
                    label=label,
                    amount=-available,
                    payer=f"{CARD}{tail(code)}",
                    code=code,
                )
            )
        else:
            adjustments.append(_no_effect(Phase.SUBSIDY, match.voucher, order))
    if problems:
        raise Invalid(problems)
    return adjustments


def _discounts(order: OrderDraft, voucher: Voucher, goods: dict[Decimal, int]) -> list[Adjustment]:
    """Returns the voucher's discount, split by VAT rate."""
    goods_total = sum(goods.values())
    if voucher.percent is None:
        amount = min(voucher.amount or 0, goods_total)
    else:
        amount = half_up(goods_total * Fraction(voucher.percent) / 100)
        amount = amount if voucher.most is None else min(amount, voucher.most)
    shares = {rate: share for rate, share in in_proportion(amount, goods).items() if share}
    if not shares:
        return [_no_effect(Phase.VOUCHER, voucher, order)]
    label = _label(voucher, order)
    return [
        Adjustment(phase=Phase.VOUCHER, kind="voucher", label=label, amount=-share, vat_rate=rate, code=voucher.code)
        for rate, share in shares.items()
    ]


def _no_effect(phase: Phase, voucher: Voucher, order: OrderDraft) -> Adjustment:
    """Returns an adjustment of zero: it claims the code, which has no effect, and the core leaves it out."""
    payer = CUSTOMER if phase is Phase.VOUCHER else CARD
    label = _label(voucher, order)
    return Adjustment(phase=phase, kind="voucher", label=label, amount=0, payer=payer, code=voucher.code)


def _label(voucher: Voucher, order: OrderDraft) -> str:
    return translate(order.language, "Voucher {code}").format(code=voucher.code)


def _goods_by_rate(tx: Transaction, order: OrderDraft, voucher: Voucher) -> dict[Decimal, int]:
    """Returns the price of the goods that the voucher covers by VAT rate, after discounts; lowest rate first."""
    lines = _eligible(tx, order.lines, voucher)
    ids = {line.id for line in lines}
    sums: dict[Decimal, int] = {}
    for line in lines:
        sums[line.vat_rate] = sums.get(line.vat_rate, 0) + line.amount
    for adjustment in order.adjustments:
        concerns_goods = adjustment.line_id in ids or (adjustment.line_id is None and not voucher.product_types)
        if adjustment.phase is Phase.DISCOUNT and concerns_goods and adjustment.vat_rate in sums:
            sums[adjustment.vat_rate] += adjustment.amount
    return {rate: sums[rate] for rate in sorted(sums) if sums[rate] > 0}


def _eligible(tx: Transaction, lines: Sequence[PricedLine], voucher: Voucher) -> Sequence[PricedLine]:
    if not voucher.product_types:
        return lines
    kinds, wanted_types = kinds_of(tx, {line.product_id for line in lines}), frozenset(voucher.product_types)
    return [
        line
        for line in lines
        if line.product_id in kinds
        and any(concept.term in wanted_types for concept in lineage(kinds[line.product_id].product_type))
    ]


# Records what an order uses of its vouchers and cards, and releases it again; the database guards the limits.

_voucher, _use, _movement = vouchers_voucher.c, vouchers_use.c, vouchers_movement.c


@hookimpl
def settle_adjustments(
    tx: Transaction, order: OrderDraft, before: Sequence[Adjustment], after: Sequence[Adjustment]
) -> None:
    """Records the changes of uses and card movements of an order.

    The earlier uses are read from the tables, not from `before`, because the order may have changed while the plugin
    was off. Codes are processed in sorted order, so that two orders never deadlock. Raises `Conflict` if another order
    used up a voucher or card since this one was priced.
    """
    bought_before, bought_now = _bought(before), _bought(after)
    bind_sales(tx, order, bought_now - bought_before)
    used_before = _recorded_uses(tx, order) if before or order.codes_before else {}
    used_now = _amounts_by_code(adjustment for adjustment in after if adjustment.kind != KIND)
    for code in sorted({*used_before, *used_now}):
        if is_card(code):
            difference = used_now.get(code, 0) - used_before.get(code, 0)
            if difference:
                spend(tx, order.enterprise_id, order.id, code, difference)
        elif code not in used_before:
            _take_use(tx, order, code)
        elif code not in used_now:
            _release_use(tx, order, code)
    release_sales(tx, order, bought_before - bought_now)


def _bought(adjustments: Sequence[Adjustment]) -> set[str]:
    """Returns the codes with which the order buys gift cards."""
    return {adjustment.code for adjustment in adjustments if adjustment.kind == KIND}


def _amounts_by_code(adjustments: Iterable[Adjustment]) -> dict[str, int]:
    """Returns by how much each code reduces the order, in minor units."""
    sums: dict[str, int] = {}
    for adjustment in adjustments:
        sums[adjustment.code] = sums.get(adjustment.code, 0) - adjustment.amount
    return sums


def _recorded_uses(tx: Transaction, order: OrderDraft) -> Mapping[str, int]:
    """Returns the codes that the order uses, and what it has spent of each card, with one statement."""
    spent = (
        select(func.sum(-_movement.amount))
        .where(_movement.voucher_id == _voucher.id, _movement.order_id == order.id)
        .scalar_subquery()
    )
    uses = select(_use.voucher_id).where(_use.order_id == order.id)
    cards = select(_movement.voucher_id).where(_movement.order_id == order.id)
    statement = select(_voucher.code, func.coalesce(spent, 0).label("spent")).where(
        or_(_voucher.id.in_(uses), _voucher.id.in_(cards))
    )
    return {row["code"]: int(row["spent"]) for row in tx.all(statement)}


def _take_use(tx: Transaction, order: OrderDraft, code: str) -> None:
    change = update(vouchers_voucher).where(
        _voucher.enterprise_id == order.enterprise_id,
        _voucher.code == code,
        or_(_voucher.most_uses.is_(None), _voucher.used < _voucher.most_uses),
    )
    row = tx.first(change.values(used=_voucher.used + 1).returning(_voucher.id, _voucher.once))
    if row is None:
        raise Conflict("code_used_up", "The code {voucher} is used up.", voucher=code)
    holder = holder_of(order) if row["once"] else {}
    use = {"voucher_id": row["id"], "order_id": order.id, "mailbox": None, "person_id": None, "at": tx.now, **holder}
    if not insert_once(tx, vouchers_use, use):
        raise Conflict("code_used_by_you", "You have used the code {voucher} already.", voucher=code)


def _release_use(tx: Transaction, order: OrderDraft, code: str) -> None:
    voucher_ids = select(_voucher.id).where(_voucher.enterprise_id == order.enterprise_id, _voucher.code == code)
    removal = delete(vouchers_use).where(_use.order_id == order.id, _use.voucher_id == voucher_ids.scalar_subquery())
    voucher_id = tx.value(removal.returning(_use.voucher_id))
    if voucher_id is not None:
        tx.execute(update(vouchers_voucher).where(_voucher.id == voucher_id).values(used=_voucher.used - 1))
