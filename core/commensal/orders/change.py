"""Changes an order: customers may until the close, the hub also afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..base.errors import Invalid, Problem
from ..base.plugin_fields import PluginValues, read_plugin_values
from ..base.texts import read_phone, read_text
from ..hooks.dispatcher import Hooks
from ..pricing.lines import with_quantity
from ..pricing.values import Address, PricedLine
from ..storage.database import Transaction
from .guests import refuse_larger_guest_order
from .lines import lines_for, refuse_quantities, refuse_too_many_lines, with_more
from .lock import refuse_after_cut_off, refuse_if_handed_over, refuse_unless_placed
from .proof import known_customer_of
from .rewrite import refuse_empty, rewrite
from .sale_context import KnownCustomer, sale_closed, sale_context
from .shipping import link_problems
from .values import LONGEST_COLLECTOR, Order, SaleContext


def change_order(
    tx: Transaction,
    hooks: Hooks,
    order: Order,
    *,
    items: Mapping[str, int] | None = None,
    shipping: str | None = None,
    address: Address | None = None,
    codes: Sequence[str] | None = None,
    note: str | None = None,
    phone: str | None = None,
    collector: str | None = None,
    plugin_fields: PluginValues | None = None,
    total: int | None = None,
    by_hub: bool = False,
    by: str | None = None,
) -> Order:
    """Makes the locked `order` contain exactly `items` (pieces by catalog item; None leaves the lines as they are).

    Pieces that were ordered keep their price, and fewer of them are always possible. Additional pieces and new items
    are ordered now: at today's price, if they are on sale to this customer, within the limits of an order. `total` is
    what the customer was shown, in minor units. Raises `Conflict` after the close, for a supplier whose cut-off has
    passed, for more of an item that is not on sale (any more), or if nothing would be left; `SoldOut`; `Invalid`, also
    for a telephone number that is none, unless the order has it.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    shop = sale_context(tx, order.session_id)
    if not by_hub and (order.state != "Held" or not shop.is_open(tx.now)):
        raise sale_closed(shop)
    problems = [] if address is None else list(link_problems(address))
    if phone is not None:
        phone = read_phone(phone, "/phone", problems, stored=order.phone)
    if collector is not None:
        collector = read_text(collector, "/collector", problems, most=LONGEST_COLLECTOR)
    if problems:
        raise Invalid(problems)
    customer = known_customer_of(tx, order)
    lines = order.lines if items is None else _lines(tx, order, shop, customer, items, by_hub)
    refuse_empty(lines)
    texts = {"note": note, "phone": phone, "collector": collector}
    values: dict[str, object] = {name: text for name, text in texts.items() if text is not None}
    all_fields = None if plugin_fields is None else _plugin_values(tx, order, shop, plugin_fields)
    changed = rewrite(
        tx,
        hooks,
        shop,
        customer,
        order,
        lines,
        shipping=shipping,
        address=address,
        codes=codes,
        total=total,
        plugin_fields=all_fields,
        values=values,
        by=by,
        changed_by="hub" if by_hub else "customer",
    )
    if not by_hub and changed.total > order.total:
        refuse_larger_guest_order(tx, changed)
    return changed


def _plugin_values(
    tx: Transaction, order: Order, shop: SaleContext, changes: PluginValues
) -> dict[str, dict[str, object]]:
    """Returns all values of plugins' fields after the changes. Raises `Invalid` with every mistake."""
    problems: list[Problem] = []
    declared = tx.plugin_fields.orders.of(shop.plugins)
    values = read_plugin_values(declared, changes, order.plugin_fields, problems)
    if problems:
        raise Invalid(problems)
    return values


def _lines(
    tx: Transaction, order: Order, shop: SaleContext, customer: KnownCustomer, items: Mapping[str, int], by_hub: bool
) -> tuple[PricedLine, ...]:
    """Returns the order's lines for these pieces by item.

    Pieces that were ordered keep their price. Each additional piece is ordered now, as `place_order` would do it, so
    it gets a line of its own if the offer has changed. Fewer pieces are taken off the latest line first.
    """
    ordered_lines = [line for line in order.lines if line.substitutes_id is None]
    pieces_before: Counter[str] = Counter()
    for line in ordered_lines:
        pieces_before[line.item_id] += line.quantity
    refuse_quantities({item: pieces for item, pieces in items.items() if pieces < 0 or pieces > pieces_before[item]})
    if not by_hub:
        changed = [line for line in ordered_lines if items.get(line.item_id, 0) != pieces_before[line.item_id]]
        refuse_after_cut_off(tx, shop.coordination_id, changed)
    more_pieces = {item: pieces - pieces_before[item] for item, pieces in items.items() if pieces > pieces_before[item]}
    added = lines_for(tx, shop, more_pieces, customer.category_ids, after_cut_off=by_hub)
    kept_lines = with_more(_with_fewer(ordered_lines, items), added)
    substitutes = tuple(line for line in order.lines if line.substitutes_id is not None)
    replaced = {line.substitutes_id for line in substitutes}
    all_lines = (*(line for line in kept_lines if line.quantity or line.id in replaced), *substitutes)
    if more_pieces:
        refuse_too_many_lines(len(all_lines))
    return all_lines


def _with_fewer(lines: Sequence[PricedLine], items: Mapping[str, int]) -> list[PricedLine]:
    """Returns the lines reduced to the pieces in `items`; the pieces ordered first stay."""
    pieces_left = dict(items)
    shortened = []
    for line in lines:
        pieces = min(line.quantity, pieces_left.get(line.item_id, 0))
        pieces_left[line.item_id] = pieces_left.get(line.item_id, 0) - pieces
        shortened.append(with_quantity(line, pieces))
    return shortened
