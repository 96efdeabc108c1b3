"""Merges two orders of one customer into one: one crate, one payment, one e-mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import update

from ...base.errors import Conflict
from ...base.money import Money
from ...events.announce import event_jobs, sold_out_jobs
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...orders.emails import Merged, mail_of_return
from ...orders.lines import costs_of, grains_by_lot, refuse_too_many_lines, with_more
from ...orders.lock import refuse_if_corrected, refuse_if_handed_over, refuse_unless_placed
from ...orders.place import payment_state
from ...orders.price import (
    is_return,
    pay_rest_from_credit,
    price,
    quote_of,
    refuse_problems,
    settle_with_plugins,
    with_returns,
)
from ...orders.proof import known_customer_of
from ...orders.questions import order_by_id
from ...orders.rewrite import Difference, refuse_empty, rewrite
from ...orders.sale_context import refuse_if_books_closed, sale_closed, sale_context
from ...orders.shipping import book_place, release_place
from ...orders.tables import guest_order
from ...orders.values import Order, Quote, SaleContext
from ...orders.write import change_row, rewrite_parts, totals_of
from ...pricing.lines import totals
from ...pricing.values import PricedLine
from ...stock.take import hand_on_reserved, take_stock
from ...storage.database import Transaction
from ...storage.jobs import enqueue_all

_BETWEEN_NOTES = "\n"


def merge_orders(
    tx: Transaction, hooks: Hooks, target: Order, other: Order, *, vouched: bool = False, by: str | None = None
) -> Order:
    """Moves all goods, codes and the note of the `other` order into the `target`, and cancels the other.

    Both are locked. Lines keep the prices at which they were ordered, and the stock stays reserved throughout. The
    target keeps its owner, slot, address and way to pay; its customer gets one e-mail, which names the other order.

    The orders must belong to one customer: both to the same proven one, or both typed with the same e-mail address. If
    only the target is proven, the shop must have `vouched` that its customer also placed the other one: otherwise
    goods that a stranger ordered would reach the customer's account.

    Raises `Conflict` for orders of different sales or customers, for one that is cancelled or handed over, and if money
    or empties were received for the other order: the order with them must be the target.
    """
    for order in (target, other):
        refuse_unless_placed(order)
        refuse_if_handed_over(order)
    if target.id == other.id or target.session_id != other.session_id:
        raise Conflict("other_sale", "Only two orders of the same sale can become one.")
    _refuse_two_customers(target, other, vouched=vouched)
    if other.paid_total:
        text = "Money was received for order {number}: keep that one, or give the money back first."
        raise Conflict("has_money", text, number=other.number or 0)
    if any(is_return(adjustment) for adjustment in other.adjustments):
        raise Conflict("has_returns", "Empties count on order {number}: keep that one.", number=other.number or 0)
    shop = sale_context(tx, target.session_id)
    costs = costs_of(tx, [target.id, other.id])
    lines = _lines_of_both(target, other, costs)
    refuse_too_many_lines(len(lines))
    _empty(tx, hooks, shop, other, costs, by=by)

    def move_stock(tx: Transaction, difference: Difference, order_id: str, person_id: str | None) -> Sequence[str]:
        hand_on_reserved(tx, difference, order_id=other.id, to_order_id=order_id, person_id=person_id)
        return ()

    tx.trace("merged", "customer_order", other.id, enterprise_id=other.enterprise_id, into=target.number)
    note = _BETWEEN_NOTES.join(dict.fromkeys(text for text in (target.note, other.note) if text))
    texts = {name: getattr(target, name) or getattr(other, name) for name in ("phone", "collector")}
    return rewrite(
        tx,
        hooks,
        shop,
        known_customer_of(tx, target),
        target,
        lines,
        codes=(*target.codes, *other.codes),
        values={**texts, "note": note},
        by=by,
        move_stock=move_stock,
        merged=Merged(number=other.number or 0, shipping=shipping_given_up(target, other)),
        costs=costs,
    )


def shipping_given_up(target: Order, other: Order) -> str:
    """Returns the label of the way to get the `other` order that no longer holds once it is in the `target`; "" if both
    have the same, or it has none."""
    return other.shipping_label if other.shipping_label != target.shipping_label else ""


def _refuse_two_customers(target: Order, other: Order, *, vouched: bool) -> None:
    """Raises `Conflict` unless both orders belong to one customer; an order has no `customer_id` while it is typed."""
    if target.customer_id is not None and target.customer_id == other.customer_id:
        return
    numbers = {"kept": target.number or 0, "number": other.number or 0}
    both_proven = target.customer_id is not None and other.customer_id is not None
    if both_proven or not target.email or target.email.casefold() != other.email.casefold():
        raise Conflict("other_customer", "Orders {kept} and {number} belong to two customers.", **numbers)
    if other.customer_id is not None:
        text = "Keep order {number}: its customer is known, and that of order {kept} is not."
        raise Conflict("keep_the_proven", text, **numbers)
    if target.customer_id is not None and not vouched:
        text = "Nobody has proven that the customer of order {kept} also placed order {number}: ask them first."
        raise Conflict("not_proven", text, **numbers)


def _lines_of_both(target: Order, other: Order, costs: Mapping[str, int]) -> tuple[PricedLine, ...]:
    """Returns the lines of both orders. Pieces of one offer share a line, unless a line is weighed or substituted, or
    the shop pays another price for it.

    The other order's lines bring their ids along, by which they keep what the shop pays its supplier for them.
    """
    replaced = {line.substitutes_id for line in (*target.lines, *other.lines)}

    def is_plain(line: PricedLine) -> bool:
        bought = {costs[each.id] for each in (*target.lines, *other.lines) if each.item_id == line.item_id}
        is_whole = line.final_quantity is None and line.substitutes_id is None and line.id not in replaced
        return is_whole and len(bought) == 1

    plain = with_more(
        [line for line in target.lines if is_plain(line)],
        [line for line in other.lines if is_plain(line) and line.quantity],
    )
    return (*plain, *(line for line in (*target.lines, *other.lines) if not is_plain(line)))


def _empty(
    tx: Transaction, hooks: Hooks, shop: SaleContext, order: Order, costs: Mapping[str, int], *, by: str | None
) -> None:
    """Cancels an order whose goods have moved on. It keeps copies of its lines, so that it still tells what it was."""
    customer = known_customer_of(tx, order)
    settle_with_plugins(tx, hooks, shop, quote_of(order, shop, customer), order.adjustments, ())
    release_place(tx, hooks, order.id, order.shipping)
    change_row(
        tx,
        order.id,
        order.version,
        {
            "state": "Cancelled",
            "fulfilment_state": "Cancelled",
            "payment_state": "Cancelled",
            "cancelled_at": tx.now,
            "restocked": None,  # they are in the other order
        },
    )
    copy, ids = _copy_of(tx, quote_of(order, shop, customer))
    rewrite_parts(tx, copy, {ids[line.id]: costs[line.id] for line in order.lines})
    enqueue_all(tx, event_jobs(tx, specifications.order_cancelled, shop.enterprise_id, order.id, shop.plugins))


def _copy_of(tx: Transaction, quote: Quote) -> tuple[Quote, Mapping[str, str]]:
    """Returns the same order with new ids for its lines, and these by the old ones."""
    ids = {line.id: tx.new_id() for line in quote.draft.lines}
    lines = tuple(
        replace(line, id=ids[line.id], substitutes_id=ids.get(line.substitutes_id or "")) for line in quote.draft.lines
    )
    adjustments = tuple(
        replace(adjustment, line_id=ids.get(adjustment.line_id or "")) for adjustment in quote.draft.adjustments
    )
    draft = replace(quote.draft, lines=lines, adjustments=adjustments)
    return Quote(draft=draft, totals=totals(draft)), ids


# Takes the cancellation of an order back: a hub has cancelled the wrong one, and its goods are still there.


def revive_order(tx: Transaction, hooks: Hooks, order: Order, *, by: str | None = None) -> Order:
    """Makes the locked `order`, which was cancelled, one that stands again, and returns it; its customer is mailed.

    It keeps its number, its lines at their prices, what it costs, and what was paid for it. Goods, its place in the
    slot and what plugins gave it, such as the balance of a voucher, are taken anew. A guest need not confirm it.

    Raises `Conflict` for an order that is not cancelled, whose goods the hub has lost or are in another order, or of
    which nothing is left; once the sale is closed; and if it would cost another amount today. Raises `SoldOut`, and
    what plugins raise that have given away what the order had.
    """
    _refuse_unless_revivable(order)
    shop, customer = sale_context(tx, order.session_id, hold=True), known_customer_of(tx, order)
    refuse_if_books_closed(shop)
    if not shop.is_open(tx.now):
        raise sale_closed(shop)
    draft = replace(quote_of(order, shop, customer).draft, adjustments=())
    option = book_place(tx, hooks, shop, draft, order.language)
    quote = with_returns(price(tx, hooks, shop, draft, option), order.adjustments)
    if quote.totals.total != order.total:
        text = "This order would cost {now} today instead of {before}: take a new one."
        amounts = {"now": quote.totals.total, "before": order.total}
        raise Conflict("other_total", text, **{name: Money(each, order.currency) for name, each in amounts.items()})
    refuse_problems(tx, hooks, shop, quote, None, "hub")
    emptied_lots = take_stock(tx, grains_by_lot(order.lines), order_id=order.id, person_id=by)
    tx.execute(update(guest_order).where(guest_order.c.order_id == order.id).values(confirm_by=None, expired_at=None))
    values = {
        "state": "Held",
        "fulfilment_state": "Unfulfilled",
        "payment_state": payment_state(order.paid_total, order.total),
        "cancelled_at": None,
        "restocked": None,
    }
    change_row(tx, order.id, order.version, {**totals_of(quote.totals), **values})
    rewrite_parts(tx, quote)
    settle_with_plugins(tx, hooks, shop, quote, (), quote.draft.adjustments)
    tx.trace("revived", "customer_order", order.id, enterprise_id=order.enterprise_id)
    revived = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    events = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    enqueue_all(tx, [*mail_of_return(revived), *events, *sold_out_jobs(tx, emptied_lots)])
    return pay_rest_from_credit(tx, hooks, shop, revived)


def _refuse_unless_revivable(order: Order) -> None:
    if order.state != "Cancelled":
        raise Conflict("not_cancelled", "This order is not cancelled.")
    if order.restocked is None:
        raise Conflict("goods_moved", "The goods of this order are in another one.")
    if not order.restocked:
        raise Conflict("goods_lost", "The goods of this order are lost. Take a new one.")
    refuse_if_corrected(order)
    refuse_empty(order.lines)
