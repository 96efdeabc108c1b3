"""What a shop keeps for its own stock of goods of which more came than its customers had ordered.

The pieces become stock of a product of the shop's own, and are owed to the supplier at the price of its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from ...base.errors import Conflict, Invalid, Problem
from ...catalogs.product_listing import Listing, list_products
from ...catalogs.tables import catalog_item, offer
from ...orders.sale_context import refuse_if_books_closed, sale_context
from ...products.fields import PRODUCT_FIELDS
from ...products.products import create_product
from ...products.questions import products_by_id
from ...products.values import SuppliedProduct
from ...sale_sessions.on_sale import insert_items, sellable_items
from ...sale_sessions.tables import coordination, coordination_supplier, sale_session, session_item
from ...stock.levels import in_units, lock_lots
from ...stock.movements import receive_stock
from ...storage.database import Transaction, insert_once
from ..copies.lending import write_off
from .purchase_orders import PurchaseOrder, PurchaseOrderLine, locked_orders, refuse_over
from .supplier_accounts import lock_orders
from .tables import stock_purchase

MOST_KEPT = 10_000  # pieces of a line
_bought, _session = stock_purchase.c, sale_session.c
_OF_SUPPLIER = "{name} ({supplier})"  # what the shop's own product is called


@dataclass(frozen=True, kw_only=True)
class KeptGoods:
    """Pieces of a line of an order to a supplier that the shop has bought for its own stock, as `product_id`."""

    line_id: str
    product_id: str
    name: str
    pieces: int


def kept_of(tx: Transaction, order_id: str) -> list[KeptGoods]:
    """Returns what was kept of an order to a supplier, by the line's name, in one statement."""
    statement = (
        select(
            _bought.purchase_line_id.label("line_id"),
            _bought.own_product_id.label("product_id"),
            func.min(_bought.name).label("name"),
            func.sum(_bought.pieces).label("pieces"),
        )
        .where(_bought.purchase_order_id == order_id)
        .group_by(_bought.purchase_line_id, _bought.own_product_id)
        .having(func.sum(_bought.pieces) > 0)
        .order_by(func.min(_bought.name), _bought.purchase_line_id)
    )
    return [KeptGoods(**{**row, "pieces": int(row["pieces"])}) for row in tx.all(statement)]


def keep_surplus(
    tx: Transaction, order_id: str, pieces: Mapping[str, int], *, from_stock: bool, by: str | None = None
) -> list[KeptGoods]:
    """Makes `pieces`, by line id, what the shop keeps of an order; lines that it does not name stay as they are.

    Said again, it changes nothing; another number is a correction, in a row of its own. With `from_stock` the pieces
    are taken off the supplier's stock, as far as they were free there. New goods are listed where the sale's goods are,
    at the price at which the shop sells the supplier's, and are on sale there too if the shop coordinates the sale. The
    caller knows that the order is the shop's.

    Raises `Invalid` for an impossible number; `Conflict` once the distribution is over or its books are closed, and
    when what is no longer kept was sold already.
    """
    (order,) = locked_orders(tx, [order_id])
    refuse_over(order, tx.now)
    lock_orders(tx, order.enterprise_id, order.session_id)
    refuse_if_books_closed(sale_context(tx, order.session_id))
    lines = {line.id: line for line in order.lines}
    _refuse_impossible(lines, pieces)
    before = {goods.line_id: goods.pieces for goods in kept_of(tx, order_id)}
    sources = products_by_id(tx, [line.product_id for line in order.lines])
    for line_id, count in sorted(pieces.items()):
        more = count - before.get(line_id, 0)
        if more:
            _move(tx, order, lines[line_id], sources[lines[line_id].product_id], more, from_stock=from_stock, by=by)
    return kept_of(tx, order_id)


def _refuse_impossible(lines: Mapping[str, PurchaseOrderLine], pieces: Mapping[str, int]) -> None:
    problems = []
    for line_id, count in pieces.items():
        where = f"/lines/{line_id}"
        if line_id not in lines:
            problems.append(Problem("no_line", "This order has no such line.", where))
        elif not 0 <= count <= MOST_KEPT:
            text = "Between 0 and {most} pieces of {name} can be kept."
            problems.append(Problem("kept", text, where, {"most": MOST_KEPT, "name": lines[line_id].name}))
    if problems:
        raise Invalid(problems)


def _move(
    tx: Transaction,
    order: PurchaseOrder,
    line: PurchaseOrderLine,
    source: SuppliedProduct,
    more: int,
    *,
    from_stock: bool,
    by: str | None,
) -> None:
    """Moves so many more pieces into the shop's stock; a negative number goes back to the supplier."""
    own = _own_product(tx, order, source) or _new_product(tx, order, line, source, by)
    (lot,) = lock_lots(tx, [own.lot_id])
    if more > 0 and not lot.unlimited:
        note = f"{order.supplier}: {order.number}"
        receive_stock(
            tx, order.enterprise_id, lot.id, in_units(more * own.lot_quantity, lot.per_unit), note=note, person_id=by
        )
    elif not lot.unlimited and not write_off(tx, lot.id, -more * own.lot_quantity):
        raise Conflict("sold", "Less of {name} is in your stock than was kept: some are ordered.", name=own.name)
    grains = _take_from(tx, source, order, more) if from_stock else 0
    tx.execute(
        insert(stock_purchase).values(
            id=tx.new_id(),
            enterprise_id=order.enterprise_id,
            supplier_id=order.supplier_id,
            session_id=order.session_id,
            purchase_order_id=order.id,
            purchase_line_id=line.id,
            product_id=line.product_id,
            own_product_id=own.id,
            name=line.name,
            unit_quantity=line.unit_quantity,
            unit=line.unit,
            vat_rate=line.vat_rate,
            price=line.price,
            deposit=source.deposit,
            currency=order.currency,
            prices_include_vat=order.prices_include_vat,
            pieces=more,
            grains=grains,
            at=tx.now,
            person_id=by,
        )
    )


def _take_from(tx: Transaction, source: SuppliedProduct, order: PurchaseOrder, more: int) -> int:
    """Takes the pieces off the supplier's free stock, and gives back what was taken when they go back. Returns the
    grains that it took; negative: gave back."""
    (lot,) = lock_lots(tx, [source.lot_id])
    if lot.unlimited:
        return 0
    of_product = (_bought.purchase_order_id == order.id, _bought.product_id == source.id)
    before = int(tx.value(select(func.coalesce(func.sum(_bought.grains), 0)).where(*of_product)))
    grains = max(min(more * source.lot_quantity, lot.free), -before)
    if not write_off(tx, lot.id, grains, note=f"{order.shop}: {order.number}"):
        raise AssertionError("a locked lot has other levels")
    return grains


def _own_product(tx: Transaction, order: PurchaseOrder, source: SuppliedProduct) -> SuppliedProduct | None:
    """The product of the shop as which it has kept these goods before; None for the first time."""
    latest = (
        select(_bought.own_product_id)
        .where(_bought.enterprise_id == order.enterprise_id, _bought.product_id == source.id)
        .order_by(_bought.id.desc())
        .limit(1)
    )
    own_id = tx.value(latest)
    product = products_by_id(tx, [own_id]).get(own_id) if own_id else None
    same = (
        product and product.archived_at is None and (product.quantity, product.unit) == (source.quantity, source.unit)
    )
    return product if same else None


def _new_product(
    tx: Transaction, order: PurchaseOrder, line: PurchaseOrderLine, source: SuppliedProduct, by: str | None
) -> SuppliedProduct:
    """A product of the shop's own like that of the supplier, listed where the goods of the sale are."""
    left_out = ("name", "names", "product_type", "quantity", "unit", "sku")
    content: Any = {name: getattr(source, name) for name in PRODUCT_FIELDS if name not in left_out}
    product = create_product(
        tx,
        enterprise_id=order.enterprise_id,
        name=_OF_SUPPLIER.format(name=line.name, supplier=order.supplier),
        product_type=source.product_type,
        quantity=source.quantity,
        unit=source.unit,
        vat_rate=line.vat_rate,
        on_hand=Decimal(0),
        person_id=by,
        **content,
    )
    catalog_id = tx.value(select(_session.catalog_id).where(_session.id == order.session_id))
    listing = Listing(product_id=product.id, price=_selling_price(tx, order, line))
    list_products(tx, order.enterprise_id, str(catalog_id), [listing])
    _put_on_sale(tx, order, product)
    return product


def _put_on_sale(tx: Transaction, order: PurchaseOrder, product: SuppliedProduct) -> None:
    """Puts a product of the shop's own on sale where it came, as goods of a shop that supplies its own sale."""
    own_sale = (
        select(_session.coordination_id)
        .join(coordination, coordination.c.id == _session.coordination_id)
        .where(_session.id == order.session_id, coordination.c.coordinator_id == order.enterprise_id)
    )
    if (coordination_id := tx.value(own_sale)) is not None:
        key = {"coordination_id": coordination_id, "enterprise_id": order.enterprise_id}
        insert_once(tx, coordination_supplier, {**key, "closes_at": None})
    of_session = sellable_items(_session.id == order.session_id)
    insert_items(tx, of_session.where(catalog_item.c.product_id == product.id))


def _selling_price(tx: Transaction, order: PurchaseOrder, line: PurchaseOrderLine) -> int:
    """What the shop asks everybody for the supplier's goods at the sale; what it pays if they have no such price."""
    price = tx.value(
        select(func.min(offer.c.price))
        .join(catalog_item, catalog_item.c.id == offer.c.item_id)
        .join(session_item, session_item.c.item_id == catalog_item.c.id)
        .where(session_item.c.session_id == order.session_id, catalog_item.c.product_id == line.product_id)
        .where(offer.c.category_id.is_(None))
    )
    return line.price if price is None else int(price)
