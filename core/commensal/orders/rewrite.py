"""Gives an order other lines, and adapts its stock, price, totals and payment state, whatever the reason is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select

from ..base.errors import Conflict
from ..base.plugin_fields import PluginValues
from ..events.announce import event_jobs, sold_out_jobs
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import ChangedBy, ShippingOption
from ..pricing.values import Address, OrderDraft, PricedLine
from ..stock.take import change_reserved
from ..storage.database import Transaction
from ..storage.jobs import enqueue_all
from .emails import Merged, Withdrawn, order_mail
from .lines import grains_by_lot
from .lock import refuse_if_corrected
from .place import payment_state, refuse_other_total
from .price import (
    Choices,
    draft_of,
    pay_rest_from_credit,
    price,
    read_codes,
    refuse_problems,
    settle_with_plugins,
    with_returns,
)
from .questions import order_by_id
from .sale_context import KnownCustomer, refuse_if_books_closed
from .shipping import book_place, booked_option, label_in_shop, release_place, shipping_columns
from .tables import order_change
from .values import Order, Quote, SaleContext
from .write import change_row, rewrite_parts, totals_of

# The journal of what changed on placed orders: of which goods how many pieces, and the total, whoever changed them.

_NOTE = insert(order_change)
Goods = tuple[str, str, str]  # name, net content of a piece as text, and its DFC measure


@dataclass(frozen=True, kw_only=True)
class ChangedGoods:
    """Pieces of one product on an order, before and after."""

    name: str
    unit_quantity: Decimal
    unit: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class GoodsChange:
    """A change of an order's goods. Totals are minor units of the order's currency; `at` is UTC."""

    at: datetime
    by: ChangedBy
    goods: Sequence[ChangedGoods]
    total_before: int
    total_after: int


def note_change(tx: Transaction, order: Order, lines: Sequence[PricedLine], total: int, by: ChangedBy) -> None:
    """Writes down that `order` gets these lines and this total (minor units), if the pieces of any goods change."""
    before, after = _pieces(order.lines), _pieces(lines)
    goods = [
        [*key, before.get(key, 0), after.get(key, 0)]
        for key in {**before, **after}
        if before.get(key, 0) != after.get(key, 0)
    ]
    if goods:
        values = {"goods": goods, "total_before": order.total, "total_after": total, "changed_by": by}
        tx.later(_NOTE, {"id": tx.new_id(), "order_id": order.id, "at": tx.now, **values})


def _pieces(lines: Sequence[PricedLine]) -> dict[Goods, int]:
    pieces: dict[Goods, int] = {}
    for line in lines:
        key = (line.name, format(line.unit_quantity.normalize(), "f"), line.unit)
        pieces[key] = pieces.get(key, 0) + line.quantity
    return pieces


def changes_of(tx: Transaction, order_id: str) -> list[GoodsChange]:
    """Returns the changes of an order, the oldest first. Ask only for whose order it is. One statement."""
    row = order_change.c
    rows = tx.all(select(order_change).where(row.order_id == order_id).order_by(row.id))
    return [
        GoodsChange(
            at=each["at"],
            by=each["changed_by"],
            total_before=each["total_before"],
            total_after=each["total_after"],
            goods=[
                ChangedGoods(name=name, unit_quantity=Decimal(quantity), unit=unit, before=before, after=after)
                for name, quantity, unit, before, after in each["goods"]
            ],
        )
        for each in rows
    ]


Difference = Mapping[str, int]  # grains by lot: positive are taken in addition, negative are given back
MoveStock = Callable[[Transaction, Difference, str, str | None], Sequence[str]]  # returns the lots that it empties


def _move_by_pieces(tx: Transaction, difference: Difference, order_id: str, person_id: str | None) -> Sequence[str]:
    """Takes more stock, which must be available, or puts what is not needed back on sale."""
    return change_reserved(tx, difference, order_id=order_id, person_id=person_id)


def rewrite(
    tx: Transaction,
    hooks: Hooks,
    shop: SaleContext,
    customer: KnownCustomer,
    order: Order,
    lines: tuple[PricedLine, ...],
    *,
    shipping: str | None = None,
    payment_method: str | None = None,
    address: Address | None = None,
    codes: Sequence[str] | None = None,
    total: int | None = None,
    plugin_fields: PluginValues | None = None,
    values: Mapping[str, object] | None = None,
    by: str | None = None,
    changed_by: ChangedBy = "hub",
    move_stock: MoveStock = _move_by_pieces,
    withdrawn: Withdrawn | None = None,
    merged: Merged | None = None,
    costs: Mapping[str, int] | None = None,
) -> Order:
    """Replaces the lines (and shipping, way to pay, address, codes, fields of plugins) of the locked `order`, and
    prices it anew.

    The customer gets an e-mail, which says what was `withdrawn` or `merged`. Lines keep the price at which they were
    ordered; `costs` are those of lines from another order, as `write_parts` has them. `total` is the total that the
    customer was shown, in minor units. Raises `SoldOut`; `Conflict` for a different total, and for an order with
    counter-entries; `Refused` from plugins; then nothing has changed.
    """
    refuse_if_corrected(order)
    refuse_if_books_closed(shop)
    choices = Choices(
        shipping=order.shipping if shipping is None else shipping,
        payment_method=order.payment_method if payment_method is None else payment_method,
        codes=order.codes if codes is None else read_codes(codes),
        address=order.address if address is None else address,
        plugin_fields=order.plugin_fields if plugin_fields is None else plugin_fields,
    )
    draft = draft_of(
        order.id,
        shop,
        lines,
        customer,
        choices,
        person_id=order.person_id,
        email=order.email,
        language=order.language,
        codes_before=order.codes,
    )
    option, shipping_values = _shipping(tx, hooks, shop, order, draft)
    quote = with_returns(price(tx, hooks, shop, draft, option), order.adjustments)
    refuse_problems(tx, hooks, shop, quote, order, changed_by)
    refuse_other_total(total, quote)
    note_change(tx, order, lines, quote.totals.total, changed_by)
    emptied_lots = move_stock(tx, _difference(order.lines, lines), order.id, by)
    plugin_values = {} if plugin_fields is None else {"plugin_fields": plugin_fields}
    row_values = {**_row_values(order, choices, quote), **shipping_values, **plugin_values, **(values or {})}
    change_row(tx, order.id, order.version, row_values)
    rewrite_parts(tx, quote, costs)
    settle_with_plugins(tx, hooks, shop, quote, order.adjustments, quote.draft.adjustments)
    events = event_jobs(tx, specifications.order_changed, shop.enterprise_id, order.id, shop.plugins)
    fewer = _fewer(order.lines, lines)
    mail = order_mail(order, "order_changed", withdrawn=withdrawn, changed_by=changed_by, fewer=fewer, merged=merged)
    enqueue_all(tx, [*mail, *events, *sold_out_jobs(tx, emptied_lots)])
    changed = order_by_id(tx, order.id, enterprise_id=order.enterprise_id)
    return pay_rest_from_credit(tx, hooks, shop, changed)


def _shipping(
    tx: Transaction, hooks: Hooks, shop: SaleContext, order: Order, draft: OrderDraft
) -> tuple[ShippingOption | None, Mapping[str, object]]:
    """The booked way of the draft, and its columns. Another way than before releases the place of the old one; the
    same keeps the label that the customer has read."""
    if draft.shipping != order.shipping:
        release_place(tx, hooks, order.id, order.shipping)
        option = book_place(tx, hooks, shop, draft, order.language)
        return option, shipping_columns(option, label_in_shop(tx, hooks, shop, draft, option))
    booked = booked_option(tx, hooks, shop, draft)
    return booked, shipping_columns(booked, order.shipping_label) if booked else {}


def _fewer(before: Sequence[PricedLine], after: Sequence[PricedLine]) -> set[str]:
    """The products of which fewer pieces are left."""
    pieces: dict[str, int] = {}
    for line, sign in [*((line, 1) for line in before), *((line, -1) for line in after)]:
        pieces[line.product_id] = pieces.get(line.product_id, 0) + sign * line.quantity
    return {product for product, taken_off in pieces.items() if taken_off > 0}


def _difference(before: Sequence[PricedLine], after: Sequence[PricedLine]) -> Difference:
    """What the new lines need more or less, without lots of which they need the same."""
    grains_before, grains_after = grains_by_lot(before), grains_by_lot(after)
    changes = {lot: grains_after.get(lot, 0) - grains_before.get(lot, 0) for lot in {*grains_before, *grains_after}}
    return {lot: grains for lot, grains in changes.items() if grains}


def _row_values(order: Order, choices: Choices, quote: Quote) -> dict[str, object]:
    return {
        **totals_of(quote.totals),
        "payment_state": payment_state(order.paid_total, quote.totals.total),
        "shipping": choices.shipping,
        "payment_method": choices.payment_method,
        "codes": list(choices.codes),
        "address": asdict(choices.address) if choices.address else None,
    }


def refuse_empty(lines: tuple[PricedLine, ...]) -> None:
    if not any(line.quantity for line in lines):
        raise Conflict("would_be_empty", "Nothing would be left of this order; cancel it instead.")
