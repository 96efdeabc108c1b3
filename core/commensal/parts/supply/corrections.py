"""Corrects an order after it was handed over, by counter-entries: what was recorded stays as it is.

A jar was cracked, a bag was missing from the crate. The lines still say what was handed over; adjustments of the kind
`CORRECTION` give its price back, to the customer, at the cost of the shop or of the supplier. What plugins had added
for these goods is corrected in proportion: a discount of them ends, and a fund pays less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from sqlalchemy import bindparam, func, select

from ...base.errors import Conflict, Invalid, Problem
from ...base.languages.catalogs import translate
from ...base.money import Money, half_up
from ...base.texts import is_blank, read_text
from ...events.announce import event_jobs
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.emails import order_mail
from ...orders.lines import grains_by_lot, grains_of_line
from ...orders.lock import CORRECTION, refuse_unless_placed
from ...orders.place import payment_state
from ...orders.price import price, quote_of, settle_with_plugins
from ...orders.proof import known_customer_of
from ...orders.questions import order_by_id
from ...orders.sale_context import refuse_if_books_closed, sale_context
from ...orders.shipping import booked_option
from ...orders.tables import order_line
from ...orders.values import Order, Quote, SaleContext
from ...orders.write import change_row, rewrite_parts, totals_of
from ...pricing.lines import totals, with_quantity
from ...pricing.values import Adjustment, OrderDraft, Phase, PricedLine
from ...stock.tables import stock_movement
from ...stock.take import return_sold
from ...storage.database import Transaction
from ...storage.jobs import enqueue_all
from .purchase_prices import purchase_amount

Bearer = Literal["shop", "supplier"]
LONGEST_REASON = 100
_movement = stock_movement.c
_RETURNED = (
    select(_movement.lot_id, func.sum(-_movement.sold_change).label("grains"))
    .where(
        _movement.order_id == bindparam("order"),
        _movement.kind == "restocked",
        _movement.lot_id.in_(bindparam("lots", expanding=True)),
    )
    .group_by(_movement.lot_id)
)
_PURCHASE = (
    select(order_line.c.id, purchase_amount().label("amount"))
    .select_from(order_line)
    .where(order_line.c.order_id == bindparam("order"))
)


@dataclass(frozen=True, kw_only=True)
class LineCorrection:
    """What is taken back of a line that was handed over.

    amount:    minor units of the line's price that the customer does not have to pay, before discounts and help
    returned:  pieces that came back and go on sale again; their deposit is given back too
    """

    amount: int
    returned: int = 0


def correct_order(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    corrections: Mapping[str, LineCorrection],
    *,
    reason: str,
    borne_by: Bearer = "shop",
    by: str | None = None,
) -> Order:
    """Takes back part of what the locked `order`, which was handed over, had cost. Returns the order.

    `corrections` are by line id; `reason` is read by the customer. If the supplier bears it, the shop owes the supplier
    less: the purchase price of that part. What the customer has paid too much is then owed to them; a refund is a
    separate step. Each call adds counter-entries, and together they never exceed the line.

    Raises `Invalid` naming every line that is not in the order or has less left; `Conflict` for an order that is not
    handed over or is cancelled, and once the books of its sale are closed.
    """
    refuse_unless_placed(order)
    if order.fulfilment_state != "Fulfilled":
        raise Conflict("not_handed_over", "This order was not handed over yet: change it instead.")
    lines = {line.id: line for line in order.lines}
    reason = _check(order, lines, corrections, reason)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    refuse_if_books_closed(shop)
    quote = quote_of(order, shop, customer)
    counter_entries = (
        *_of_lines(tx, order, lines, corrections, reason, borne_by),
        *_of_plugins(tx, hooks, shop, quote, corrections),
    )
    draft = replace(quote.draft, adjustments=(*order.adjustments, *counter_entries))
    corrected = Quote(draft=draft, totals=totals(draft))
    if corrected.totals.total < 0:
        raise Conflict("more_than_paid", "More would be given back than the order has cost.")
    _return(tx, order, lines, corrections, by)
    state = payment_state(order.paid_total, corrected.totals.total)
    change_row(tx, order.id, order.version, {**totals_of(corrected.totals), "payment_state": state})
    rewrite_parts(tx, corrected)
    settle_with_plugins(tx, hooks, shop, corrected, order.adjustments, draft.adjustments)
    jobs = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    enqueue_all(tx, [*order_mail(order, "order_changed"), *jobs])
    tx.trace(
        "corrected",
        "customer_order",
        order.id,
        enterprise_id=order.enterprise_id,
        by=corrected.totals.total - order.total,
        borne_by=borne_by,
    )
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def left_of_line(order: Order, line: PricedLine) -> int:
    """Returns what is left of the line's amount after earlier corrections, in minor units."""
    return line.amount + sum(
        entry.amount for entry in order.adjustments if is_correction(entry) and entry.line_id == line.id
    )


def is_correction(entry: Adjustment) -> bool:
    """Tells whether the adjustment is a counter-entry to a line's price, without its deposit."""
    return entry.kind == CORRECTION and entry.vat_rate is not None


def _check(
    order: Order, lines: Mapping[str, PricedLine], corrections: Mapping[str, LineCorrection], reason: str
) -> str:
    """Returns the reason as it is stored. Raises `Invalid` with every mistake."""
    problems: list[Problem] = []
    reason = read_text(reason, "/reason", problems, most=LONGEST_REASON)
    if is_blank(reason):
        problems.append(Problem("reason_missing", "Say why: the customer reads it on the order.", "/reason"))
    if not any(correction.amount for correction in corrections.values()):
        problems.append(Problem("nothing", "Say for at least one product how much is given back.", "/lines"))
    for line_id, correction in corrections.items():
        line, where = lines.get(line_id), f"/lines/{line_id}"
        if line is None:
            problems.append(Problem("no_line", "This order has no such line.", where))
            continue
        left = Money(left_of_line(order, line), order.currency)
        if not 0 <= correction.amount <= left.amount:
            text = "Between nothing and {left} can be given back for {name}."
            problems.append(Problem("amount", text, f"{where}/amount", {"left": left, "name": line.name}))
        if not 0 <= correction.returned <= line.quantity:
            text = "Between 0 and {most} pieces of {name} can come back."
            problems.append(Problem("returned", text, f"{where}/returned", {"most": line.quantity, "name": line.name}))
    if problems:
        raise Invalid(problems)
    return reason


def _of_lines(
    tx: Transaction,
    order: Order,
    lines: Mapping[str, PricedLine],
    corrections: Mapping[str, LineCorrection],
    reason: str,
    borne_by: Bearer,
) -> Sequence[Adjustment]:
    """Returns the counter-entries to the lines: to the price at the line's VAT rate, to the deposit without VAT."""
    rows = tx.all(_PURCHASE, {"order": order.id}) if borne_by == "supplier" else ()
    purchase = {row["id"]: int(row["amount"]) for row in rows}
    entries = []
    for line_id, correction in corrections.items():
        line = lines[line_id]
        supplier = line.supplier_id if borne_by == "supplier" else ""
        share = half_up(Fraction(purchase.get(line_id, 0) * correction.amount, line.amount)) if line.amount else 0
        label = translate(order.language, "Correction: {name}, {reason}").format(name=line.name, reason=reason)
        entry = Adjustment(phase=Phase.DISCOUNT, kind=CORRECTION, label=label[:200], amount=0, line_id=line_id)
        at_rate = replace(entry, vat_rate=line.vat_rate)
        entries += [
            replace(at_rate, amount=-share, payee=supplier),
            replace(at_rate, amount=share - correction.amount),
            replace(entry, amount=-line.deposit * correction.returned, payee=supplier),
        ]
    return [entry for entry in entries if entry.amount]


def _of_plugins(
    tx: Transaction, hooks: Hooks, shop: SaleContext, quote: Quote, corrections: Mapping[str, LineCorrection]
) -> Sequence[Adjustment]:
    """Returns counter-entries to what plugins had added for the goods that are taken back.

    The order is priced with what was left of each line before and with what is left now, both at today's rules, so
    that a rule that has changed since makes no difference. No fee is added that the order did not have.
    """
    draft = quote.draft
    option = booked_option(tx, hooks, shop, draft)
    left = {line.id: line.amount for line in draft.lines}
    for entry in draft.adjustments:
        if is_correction(entry) and entry.line_id:
            left[entry.line_id] += entry.amount
    left_now = {line_id: amount - _amount(corrections, line_id) for line_id, amount in left.items()}
    before = price(tx, hooks, shop, _with_amounts(draft, left, corrections), option).draft
    after = price(tx, hooks, shop, _with_amounts(draft, left_now, corrections), option).draft
    entries: dict[tuple[object, ...], Adjustment] = {}
    for entry in (*(replace(entry, amount=-entry.amount) for entry in before.adjustments), *after.adjustments):
        key = (entry.phase, entry.kind, entry.payer, entry.payee, entry.vat_rate, entry.plugin, entry.code)
        known = entries.get(key)
        amount = entry.amount + (known.amount if known else 0)
        entries[key] = replace(known or entry, amount=amount, line_id=None)
    return [entry for entry in entries.values() if entry.amount and not (entry.phase is Phase.FEE and entry.amount > 0)]


def _with_amounts(
    draft: OrderDraft, amounts: Mapping[str, int], corrections: Mapping[str, LineCorrection]
) -> OrderDraft:
    """Returns the draft with each line that has a correction as one piece of this amount, since amounts are worked out
    from prices and pieces."""
    lines = tuple(
        replace(line, quantity=1, price=amounts[line.id], amount=amounts[line.id], final_quantity=None)
        if line.id in corrections
        else line
        for line in draft.lines
    )
    return replace(draft, lines=lines)


def _amount(corrections: Mapping[str, LineCorrection], line_id: str) -> int:
    return corrections[line_id].amount if line_id in corrections else 0


def _return(
    tx: Transaction,
    order: Order,
    lines: Mapping[str, PricedLine],
    corrections: Mapping[str, LineCorrection],
    by: str | None,
) -> None:
    """Puts the pieces that came back on sale again. Raises `Conflict` if more came back than was handed over."""
    grains: dict[str, int] = {}
    for line_id, correction in corrections.items():
        line = lines[line_id]
        if correction.returned:
            back = grains_of_line(with_quantity(line, correction.returned))
            grains[line.lot_id] = grains.get(line.lot_id, 0) + back
    if not grains:
        return
    returned = {row["lot_id"]: int(row["grains"]) for row in tx.all(_RETURNED, {"order": order.id, "lots": [*grains]})}
    handed_over = grains_by_lot(order.lines)
    if any(returned.get(lot, 0) + back > handed_over[lot] for lot, back in grains.items()):
        raise Conflict("more_than_handed_over", "More would come back than was handed over.")
    return_sold(tx, grains, order_id=order.id, person_id=by)
