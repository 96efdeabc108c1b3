"""The items of an enterprise's catalogs as one customer category sees them, with product, stock and price."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, literal, or_, select

from ..enterprises.tables import enterprise
from ..products.questions import product_of, products_by_id
from ..products.tables import supplied_product
from ..products.values import SuppliedProduct
from ..products.vat import rate_in_force
from ..stock.lots import LOT_COLUMNS, StockLot, lot_beside, lot_of
from ..stock.tables import stock_lot
from ..storage.database import Row, Time, Transaction, local_day
from .tables import catalog, catalog_item, item_shown_to, offer

_producer = enterprise.alias("producer")
_NAMES = (
    supplied_product.c.id.label("product_id"),
    supplied_product.c.lot_id,
    supplied_product.c.quantity,
    stock_lot.c.name.label("lot_name"),
    _producer.c.name.label("producer"),
)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A listed item. `name` is the enterprise's own, or the producer's; `price` is in minor units of its currency."""

    item_id: str
    catalog_id: str
    name: str
    price: int
    product: SuppliedProduct
    lot: StockLot


@dataclass(frozen=True, kw_only=True)
class ListedName:
    """What a long list of goods is searched and sorted by, without price and stock.

    item_id, catalog_id: empty for a product of the enterprise that only others list
    name:     the enterprise's own, or the producer's
    quantity: net content of one piece, in the product's unit
    priced:   whether there is a price, for everybody or for a category
    """

    item_id: str
    catalog_id: str
    product_id: str
    lot_id: str
    name: str
    producer: str
    lot_name: str
    quantity: Decimal
    priced: bool


@dataclass(frozen=True, kw_only=True)
class PriceSpan:
    """The lowest and highest price, in minor units, of pieces of this kind that hold `quantity` of a DFC measure."""

    product_type: str
    unit: str
    quantity: Decimal
    lowest: int
    highest: int


def listed_for(
    tx: Transaction,
    enterprise_id: str,
    category_id: str | None,
    *,
    item_ids: Collection[str] | None = None,
    after: str = "",
    limit: int = 200,
) -> list[Listed]:
    """The items of the enterprise's catalogs that a category (None: everybody) may see, ordered by item id.

    An item's price is the category's own, or else the one for everybody. Hidden and archived items, and items without
    a price for the category, are left out. `item_ids` selects these items only. One statement.
    """
    item, product = catalog_item.c, supplied_product.c
    price = _price_for(category_id)
    rate = rate_in_force(product.id, local_day(literal(tx.now, Time), _producer.c.timezone))
    query = (
        select(
            *supplied_product.c,
            *LOT_COLUMNS,
            item.id.label("item_id"),
            item.catalog_id,
            item.name.label("own_name"),
            price.label("price"),
            rate.label("vat_rate"),
        )
        .join_from(catalog_item, catalog, catalog.c.id == item.catalog_id)
        .join(supplied_product, product.id == item.product_id)
        .join(stock_lot, stock_lot.c.id == product.lot_id)
        .join(_producer, _producer.c.id == product.enterprise_id)
        .where(catalog.c.enterprise_id == enterprise_id, item.id > after, _is_listed_for(category_id))
        .order_by(item.id)
        .limit(limit)
    )
    if item_ids is not None:
        query = query.where(item.id.in_(sorted(item_ids)))
    return [_listed_from(row) for row in tx.all(query)]


def listed_names(tx: Transaction, enterprise_id: str) -> list[ListedName]:
    """The names of all items that are neither hidden nor archived, ordered by item id: also of those that only some
    categories see, or that have no price for everybody. One statement."""
    item, product = catalog_item.c, supplied_product.c
    name = func.coalesce(func.nullif(item.name, ""), product.name)
    priced = select(offer.c.id).where(offer.c.item_id == item.id).exists()
    query = (
        select(*_NAMES, item.id.label("item_id"), item.catalog_id, name.label("name"), priced.label("priced"))
        .join_from(catalog_item, catalog, catalog.c.id == item.catalog_id)
        .join(supplied_product, product.id == item.product_id)
        .join(stock_lot, stock_lot.c.id == product.lot_id)
        .join(_producer, _producer.c.id == product.enterprise_id)
        .where(catalog.c.enterprise_id == enterprise_id, _is_offered())
        .order_by(item.id)
    )
    return [ListedName(**{**row, "priced": bool(row["priced"])}) for row in tx.all(query)]


def unlisted_names(tx: Transaction, enterprise_id: str) -> list[ListedName]:
    """The names of the enterprise's own products that no catalog of its own lists, not even hidden, ordered by
    product id. One statement."""
    item, product = catalog_item.c, supplied_product.c
    own_item = (
        select(item.id)
        .join(catalog, catalog.c.id == item.catalog_id)
        .where(catalog.c.enterprise_id == enterprise_id, item.product_id == product.id)
        .correlate(supplied_product)
    )
    query = (
        select(*_NAMES, product.name)
        .join_from(supplied_product, stock_lot, stock_lot.c.id == product.lot_id)
        .join(_producer, _producer.c.id == product.enterprise_id)
        .where(product.enterprise_id == enterprise_id, product.archived_at.is_(None), ~own_item.exists())
        .order_by(product.id)
    )
    return [ListedName(item_id="", catalog_id="", priced=False, **row) for row in tx.all(query)]


def listings_of(tx: Transaction, enterprise_id: str, product_ids: Collection[str]) -> dict[str, list[str]]:
    """Ids of items in the enterprise's catalogs by product id; products that it does not list are left out."""
    query = (
        select(catalog_item.c.product_id, catalog_item.c.id)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .where(catalog.c.enterprise_id == enterprise_id, catalog_item.c.product_id.in_(sorted(product_ids)))
        .order_by(catalog_item.c.id)
    )
    items_by_product: dict[str, list[str]] = {}
    for row in tx.all(query):
        items_by_product.setdefault(row["product_id"], []).append(row["id"])
    return items_by_product


def price_spans(tx: Transaction, enterprise_id: str, *, without: Select[tuple[str]]) -> list[PriceSpan]:
    """What the enterprise asks everybody for goods of its catalogs, hidden or not, by kind and size of a piece; but not
    for the products of which `without` selects the ids. One statement."""
    product = supplied_product.c
    columns = (product.product_type, product.unit, product.quantity)
    query = (
        select(*columns, func.min(offer.c.price).label("lowest"), func.max(offer.c.price).label("highest"))
        .join_from(catalog_item, catalog, catalog.c.id == catalog_item.c.catalog_id)
        .join(supplied_product, product.id == catalog_item.c.product_id)
        .join(offer, and_(offer.c.item_id == catalog_item.c.id, offer.c.category_id.is_(None)))
        .where(catalog.c.enterprise_id == enterprise_id, product.archived_at.is_(None), product.id.not_in(without))
        .group_by(*columns)
    )
    return [PriceSpan(**row) for row in tx.all(query)]


def products_of_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> dict[str, SuppliedProduct]:
    """The products of items in the enterprise's catalogs, by item id, archived or not; other ids are left out."""
    query = (
        select(catalog_item.c.id, catalog_item.c.product_id)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .where(catalog.c.enterprise_id == enterprise_id, catalog_item.c.id.in_(sorted(item_ids)))
    )
    product_ids = {row["id"]: row["product_id"] for row in tx.all(query)}
    products = products_by_id(tx, set(product_ids.values()))
    return {item_id: products[product_id] for item_id, product_id in product_ids.items()}


def _price_for(category_id: str | None) -> ScalarSelect[int]:
    """The item's price for a category (None: everybody), or else the one for everybody; NULL without one."""
    column = offer.c.category_id
    is_for_category = column.is_(None) if category_id is None else _is_for(column, category_id)
    prices = select(offer.c.price).where(offer.c.item_id == catalog_item.c.id, is_for_category)
    return prices.order_by(column.is_(None)).limit(1).correlate(catalog_item).scalar_subquery()


def _is_listed_for(category_id: str | None) -> ColumnElement[bool]:
    """The condition on an item, beside its product, under which `listed_for` returns it."""
    return and_(_is_offered(), _price_for(category_id).is_not(None), _is_shown_to(category_id))


def _is_offered() -> ColumnElement[bool]:
    return and_(~catalog_item.c.hidden, supplied_product.c.archived_at.is_(None))


def _is_for(column: ColumnElement[object], category_id: str) -> ColumnElement[bool]:
    return or_(column.is_(None), column == category_id)


def _is_shown_to(category_id: str | None) -> ColumnElement[bool]:
    rows = select(item_shown_to.c.item_id).where(item_shown_to.c.item_id == catalog_item.c.id)
    if category_id is None:
        return ~rows.exists()
    return or_(~rows.exists(), rows.where(item_shown_to.c.category_id == category_id).exists())


def _listed_from(row: Row) -> Listed:
    return Listed(
        item_id=row["item_id"],
        catalog_id=row["catalog_id"],
        name=row["own_name"] or row["name"],
        price=row["price"],
        product=product_of(row),
        lot=lot_of(lot_beside(row)),
    )
