"""Gives an order other lines: stock, price, totals, payment state and mail follow, whatever the reason was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...base.errors import Conflict
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction
from ...storage.jobs import promise_all
from ..events.announce import promised
from ..pricing.values import Address, PricedLine
from ..stock.take import change_taken
from .letters import order_mail
from .lines import by_lot
from .place import payment_state, refuse_other_total
from .price import Choices, draft_of, price
from .questions import order_by_id
from .selling import Known
from .settle import read_codes, refuse_problems, settle
from .shipping import book, kept_option, release, shipping_told
from .values import Order, Selling
from .write import change_row, rewrite_parts, totals_of

Difference = Mapping[str, int]  # grains by lot: positive are needed more, negative are needed no more
MoveStock = Callable[[Transaction, Difference, str, str | None], None]


def _by_pieces(tx: Transaction, difference: Difference, order_id: str, person_id: str | None) -> None:
    """The usual way: more must be there, less goes back on sale."""
    change_taken(tx, difference, order_id=order_id, person_id=person_id)


def rewrite(
    tx: Transaction,
    hooks: Hooks,
    shop: Selling,
    known: Known,
    order: Order,
    lines: tuple[PricedLine, ...],
    *,
    shipping: str | None = None,
    address: Address | None = None,
    codes: Sequence[str] | None = None,
    total: int | None = None,
    values: Mapping[str, Any] | None = None,
    by: str | None = None,
    by_hub: bool = True,
    move_stock: MoveStock = _by_pieces,
) -> Order:
    """The locked `order` with other `lines` (and shipping, if given), priced anew, and a mail to the customer.

    Lines keep the price at which they were ordered; `known` is the order's customer, `total` what they were shown.
    Raises `SoldOut`, `Conflict` for another total, `Refused` from plugins; then nothing has changed.
    """
    chosen = Choices(
        shipping=order.shipping if shipping is None else shipping,
        payment_method=order.payment_method,
        codes=order.codes if codes is None else read_codes(codes),
        address=order.address if address is None else address,
    )
    draft = draft_of(
        order.id, shop, lines, known, chosen, person_id=order.person_id, email=order.email, language=order.language,
        codes_before=order.codes,
    )  # fmt: skip
    if chosen.shipping != order.shipping:
        release(tx, hooks, order.id, order.shipping)
        option = book(tx, hooks, shop, draft, order.language)
        told_of_shipping = shipping_told(option)
    else:
        option = kept_option(tx, hooks, shop, draft)
        told_of_shipping = {**shipping_told(option), "shipping_label": order.shipping_label} if option else {}
    quote = price(tx, hooks, shop, draft, option)
    refuse_other_total(total, quote)
    if not by_hub:
        refuse_problems(tx, hooks, shop, quote, before=order.total)
    before, after = by_lot(order.lines), by_lot(lines)
    difference = {lot: after.get(lot, 0) - before.get(lot, 0) for lot in {*before, *after}}
    move_stock(tx, {lot: grains for lot, grains in difference.items() if grains}, order.id, by)
    change_row(
        tx,
        order.id,
        order.version,
        {
            **totals_of(quote.totals),
            "payment_state": payment_state(order.paid_total, quote.totals.total),
            "shipping": chosen.shipping,
            **told_of_shipping,
            "codes": list(chosen.codes),
            "address": asdict(chosen.address) if chosen.address else None,
            **(values or {}),
        },
    )
    rewrite_parts(tx, quote)
    settle(tx, hooks, shop, quote, order.adjustments, quote.draft.adjustments)
    told = promised(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    promise_all(tx, [order_mail(tx, order, "order_changed"), *told])
    return order_by_id(tx, order.id, enterprise_id=order.enterprise_id)


def refuse_empty(lines: tuple[PricedLine, ...]) -> None:
    if not any(line.quantity for line in lines):
        raise Conflict("would_be_empty", "Nothing would be left of this order; cancel it instead.")
