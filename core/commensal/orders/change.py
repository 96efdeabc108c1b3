"""Changes what was ordered: the customer until the close, the hub afterwards too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from ..errors import Problem
from ..hooks.dispatcher import Hooks
from ..pricing.lines import priced
from ..pricing.values import Address, PricedLine
from ..sale_sessions.tables import coordination_supplier
from ..store import Transaction
from .lines import lines_for, not_possible
from .lock import refuse_if_handed_over, refuse_unless_placed
from .rewrite import refuse_empty, rewrite
from .selling import Known, categories_of, closed, selling
from .values import Order, Selling


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
    total: int | None = None,
    by_hub: bool = False,
    by: str | None = None,
) -> Order:
    """Makes the locked `order` hold exactly `items` (pieces by catalog item; None leaves them).

    What was ordered keeps its price, more of it too; items that are new get today's. `total` is what the customer was
    shown. Raises `Conflict` after the close, for a supplier whose cut-off has passed, or when nothing would be left;
    `SoldOut`; `Invalid`.
    """
    refuse_unless_placed(order)
    refuse_if_handed_over(order)
    shop = selling(tx, order.session_id)
    if not by_hub and (order.state != "Held" or not shop.is_open(tx.now)):
        raise closed(shop)
    known = categories_of(tx, order.customer_id)
    lines = order.lines if items is None else _lines(tx, order, shop, known, items, by_hub)
    refuse_empty(lines)
    values: dict[str, Any] = {} if note is None else {"note": note}
    return rewrite(
        tx, hooks, shop, known, order, lines, shipping=shipping, address=address, codes=codes, total=total,
        values=values, by=by, by_hub=by_hub,
    )  # fmt: skip


def _lines(
    tx: Transaction, order: Order, shop: Selling, known: Known, items: Mapping[str, int], by_hub: bool
) -> tuple[PricedLine, ...]:
    wanted = {item: quantity for item, quantity in items.items() if quantity}
    had = {line.item_id: line for line in order.lines if line.substitutes_id is None}
    kept = tuple(_with_quantity(line, wanted.get(line.item_id, 0)) for line in had.values())
    changed = [line for line in kept if line.quantity != had[line.item_id].quantity]
    if not by_hub:
        _refuse_cut_off(tx, shop.coordination_id, changed)
    new = {item: quantity for item, quantity in wanted.items() if item not in had}
    added = lines_for(tx, shop, new, known.category_ids, after_cut_off=by_hub)
    substitutes = tuple(line for line in order.lines if line.substitutes_id is not None)
    replaced = {line.substitutes_id for line in substitutes}
    stay = tuple(line for line in kept if line.quantity or line.id in replaced)
    return (*stay, *added, *substitutes)


def _with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    """More or fewer pieces must be weighed anew."""
    return line if quantity == line.quantity else priced(replace(line, quantity=quantity, final_quantity=None))


def _refuse_cut_off(tx: Transaction, coordination_id: str, lines: list[PricedLine]) -> None:
    if not lines:
        return
    supplier = coordination_supplier
    passed = select(supplier.c.enterprise_id).where(
        supplier.c.coordination_id == coordination_id, supplier.c.closes_at <= tx.now
    )
    late = {row["enterprise_id"] for row in tx.all(passed)}
    problems = [
        Problem(
            "cut_off",
            "Orders for {name} have closed: its producer needs them earlier.",
            f"/items/{line.item_id}",
            {"name": line.name},
        )
        for line in lines
        if line.supplier_id in late
    ]
    if problems:
        raise not_possible(problems)
