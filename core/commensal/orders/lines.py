"""Turns wishes into priced lines at today's offers, and names every mistake of a wish."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, case, delete, func, literal_column, select

from ..base.errors import Conflict, Invalid, Problem
from ..base.languages.catalogs import Written, in_language
from ..base.money import half_up
from ..catalogs.tables import purchase_terms
from ..pricing.lines import amount_of_pieces, with_amount, with_quantity
from ..pricing.values import PricedLine
from ..products.tables import supplied_product
from ..sale_sessions.visible_offers import GoodsOnSale, goods_for
from ..storage.database import Transaction, Whole
from .tables import order_line
from .values import MOST_LINES, MOST_PIECES, SaleContext


def lines_for(
    tx: Transaction,
    shop: SaleContext,
    items: Mapping[str, int],
    category_ids: Collection[str],
    *,
    after_cut_off: bool = False,
) -> tuple[PricedLine, ...]:
    """Returns lines for `items` (pieces by catalog item) at today's offers, with one statement.

    Raises `Invalid` for impossible quantities, `Conflict` naming every item that is not on sale (any more) for this
    customer or whose supplier's cut-off has passed; the hub may order `after_cut_off`.
    """
    refuse_quantities(items)
    if not items:
        return ()
    goods_by_item = {goods.item_id: goods for goods in goods_for(tx, shop.session_id, category_ids, items)}
    problems = []
    for item_id in items:
        goods = goods_by_item.get(item_id)
        if goods is None:
            problems.append(Problem("not_on_sale", "This product is not on sale here (any more).", f"/items/{item_id}"))
        elif not after_cut_off and goods.orderable_until <= tx.now:
            text = "Orders for {name} have closed: its producer needs them earlier."
            problems.append(Problem("cut_off", text, f"/items/{item_id}", {"name": goods.name}))
    if problems:
        raise not_possible(problems)
    return tuple(_line(tx, goods_by_item[item_id], quantity) for item_id, quantity in items.items())


def not_possible(problems: Sequence[Problem]) -> Conflict:
    """Returns one error that carries all `problems`."""
    refusal = Conflict("not_possible", "Not everything in this order is possible.")
    refusal.problems = tuple(problems)
    return refusal


def refuse_quantities(items: Mapping[str, int]) -> None:
    """Raises `Invalid` for too many lines, or naming every impossible quantity."""
    refuse_too_many_lines(len(items))
    problems = []
    for item_id, quantity in items.items():
        if not 1 <= quantity <= MOST_PIECES:
            text = "A quantity must be between 1 and {most}."
            problems.append(Problem("quantity", text, f"/items/{item_id}", {"most": MOST_PIECES}))
    if problems:
        raise Invalid(problems)


def refuse_too_many_lines(count: int) -> None:
    """Raises `Invalid` for more lines than an order may have."""
    if count > MOST_LINES:
        text = "An order has at most {most} lines."
        raise Invalid([Problem("too_many_lines", text, "/items", {"most": MOST_LINES})])


def with_more(lines: Sequence[PricedLine], added: Iterable[PricedLine]) -> list[PricedLine]:
    """Returns the lines with the `added` ones: pieces of the same offer join its latest line, others get their own."""
    extended = list(lines)
    for new_line in added:
        index = max((index for index, old_line in enumerate(lines) if _is_same_offer(old_line, new_line)), default=None)
        if index is None:
            extended.append(new_line)
        else:
            extended[index] = with_quantity(extended[index], extended[index].quantity + new_line.quantity)
    return extended


def _is_same_offer(line: PricedLine, new: PricedLine) -> bool:
    ordered = replace(line, id=new.id, name=new.name, quantity=new.quantity, final_quantity=None)
    return with_amount(ordered) == new


def _line(tx: Transaction, goods: GoodsOnSale, quantity: int) -> PricedLine:
    return PricedLine(
        id=tx.new_id(),
        item_id=goods.item_id,
        product_id=goods.product_id,
        supplier_id=goods.supplier_id,
        lot_id=goods.lot_id,
        lot_quantity=goods.lot_quantity,
        name=goods.name,
        unit_quantity=goods.quantity,
        unit=goods.unit,
        price=goods.price,
        list_price=goods.list_price,
        deposit=goods.deposit,
        vat_rate=goods.vat_rate,
        weighed=goods.weighed,
        weight_tolerance=goods.weight_tolerance if goods.weighed else None,
        quantity=quantity,
        amount=amount_of_pieces(goods.price, quantity),
    )


def grains_of_line(line: PricedLine) -> int:
    """Returns the grains that the line takes from its lot: by its weight once it was weighed, else by its pieces."""
    if line.final_quantity is None:
        return line.lot_quantity * line.quantity
    return half_up(Fraction(line.final_quantity) / Fraction(line.unit_quantity) * line.lot_quantity)


def grains_by_lot(lines: Iterable[PricedLine]) -> dict[str, int]:
    """Returns the grains for each lot; two lines of one lot are added up."""
    grains_of_lot: dict[str, int] = {}
    for line in lines:
        grains_of_lot[line.lot_id] = grains_of_lot.get(line.lot_id, 0) + grains_of_line(line)
    return {lot: quantity for lot, quantity in grains_of_lot.items() if quantity}


# Names of ordered goods in the reader's language. A line keeps one name: the one under which it was sold.

_NAMES = select(supplied_product.c.id, supplied_product.c.name, supplied_product.c.names).where(
    supplied_product.c.id.in_(bindparam("products", expanding=True))
)


def names_of_lines(tx: Transaction, lines: Collection[PricedLine], *, reader: str, own: str) -> Mapping[str, Written]:
    """What a reader of the language `reader` calls the goods of these lines, by line id; `own` is the language of the
    shop. One statement.

    The producer's names in further languages hold for a line while the product is called as when it was sold, and the
    shop has given it no name of its own.
    """
    products = sorted({line.product_id for line in lines})
    rows = tx.all(_NAMES, {"products": products}) if products else ()
    names = {(row["id"], row["name"]): row["names"] for row in rows}
    return {line.id: in_language(reader, own, line.name, names.get((line.product_id, line.name), {})) for line in lines}


# What a piece of a line costs the shop: fixed in the row when goods are ordered, and kept when an order is rewritten.
#
# It is the shop's secret, so it stands beside the priced line and is no part of it: no order that customers, plugins
# or the API read contains it.

_terms = purchase_terms.c
_LATEST = purchase_terms.alias("latest")


def cost_of_row(row: FromClause) -> ColumnElement[int]:
    """Returns in SQL what one piece of a row costs that is about to be written, in minor units: what it cost before, or
    what the terms say that are in force now, rounded half up; without terms the selling price.

    The selling price is the one for everybody: what a group of customers pays less, or more, is the shop's.
    """
    selling_price: Any = func.coalesce(row.c.list_price, row.c.price)
    all_of_it, half = literal_column("10000", Whole), literal_column("5000", Whole)  # hundredths of a percent
    without_margin = (selling_price * (all_of_it - _terms.margin) + half) // all_of_it
    latest = select(func.max(_LATEST.c.id)).where(_LATEST.c.item_id == row.c.item_id).correlate(row).scalar_subquery()
    by_terms = (
        select(case((_terms.price.is_not(None), _terms.price), (_terms.margin.is_not(None), without_margin)))
        .where(_terms.id == latest)
        .correlate(row)
        .scalar_subquery()
    )
    return func.coalesce(row.c.cost, by_terms, selling_price)


def costs_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, int]:
    """Returns what one piece of each line of these orders costs, in minor units, by the line's id."""
    line = order_line.c
    rows = tx.all(select(line.id, line.cost).where(line.order_id.in_(sorted(order_ids))))
    return {row["id"]: row["cost"] for row in rows}


def take_lines_out(tx: Transaction, order_id: str) -> Mapping[str, int]:
    """Deletes the lines of an order, and returns what one piece of each has cost, by the line's id."""
    line = order_line.c
    rows = tx.all(delete(order_line).where(line.order_id == order_id).returning(line.id, line.cost))
    return {row["id"]: row["cost"] for row in rows}
