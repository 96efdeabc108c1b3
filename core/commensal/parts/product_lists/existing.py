"""Reads the existing producers, products, lots and catalog, for an import or an export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Label, and_, literal, select

from ...base.errors import NotFound, Refused
from ...base.plugin_fields import NO_PLUGIN_FIELDS, PluginFields
from ...base.search import search_key
from ...catalogs.tables import catalog, catalog_item, offer
from ...enterprises.grants import grantors
from ...enterprises.tables import enterprise
from ...products.fields import ProductDescription, terms_in
from ...products.tables import supplied_product
from ...products.vat import rate_in_force
from ...stock.tables import stock_lot
from ...storage.database import Row, Time, Transaction, local_day


@dataclass(frozen=True, kw_only=True)
class ListProducer:
    """An enterprise whose products the list may hold. `sells`: whether the list's enterprise may sell them."""

    id: str
    name: str
    slug: str
    currency: str
    timezone: str
    sells: bool


@dataclass(frozen=True, kw_only=True)
class ListContext:
    """The enterprise of a list, the catalog that the list fills, and the producers whose products it may change.

    `producers`: the enterprise itself and those that granted it WriteProducts; `spellings`: by slug and by name;
    `declared`: the fields that plugins add to products.
    """

    enterprise_id: str
    currency: str
    catalog_id: str
    producers: tuple[ListProducer, ...]
    spellings: Mapping[str, ListProducer]
    declared: PluginFields = NO_PLUGIN_FIELDS


@dataclass(frozen=True, kw_only=True)
class Lot:
    """A stock lot. Levels are in grains."""

    id: str
    producer_id: str
    name: str
    unit: str
    per_unit: int
    unlimited: bool
    free: int
    reserved: int
    lent: int
    version: int
    low_level: int | None = None

    @property
    def bound(self) -> int:
        """Grains on hand that are not free: reserved by orders, or lent to peers."""
        return self.reserved + self.lent

    def pieces(self, lot_quantity: int) -> int:
        """Whole pieces of this size on hand, ordered and lent ones included."""
        return (self.free + self.bound) // lot_quantity


@dataclass(frozen=True, kw_only=True)
class Item:
    """A product's item in the catalog, with its offer for everybody; `offer_id` is None if there is no such offer."""

    id: str
    name: str | None
    hidden: bool
    version: int
    offer_id: str | None
    price: int | None
    offer_version: int | None


@dataclass(frozen=True, kw_only=True)
class ExistingProduct(ProductDescription):
    """An existing product. `vat_rate` is today's, in percent; `item` is None if the catalog does not list it."""

    id: str
    producer_id: str
    version: int
    archived: bool
    lot_id: str
    lot_quantity: int
    vat_rate: Decimal
    item: Item | None
    plugin_fields: dict[str, dict[str, Any]]


def load_context(
    tx: Transaction, enterprise_id: str, catalog_id: str | None, *, without_catalog: bool = False
) -> ListContext:
    """Loads the context of an enterprise's list. `catalog_id` None means its only catalog.

    Raises `NotFound` for a catalog of another enterprise, `Refused` if there are several to choose from, or none yet:
    `without_catalog` leaves `catalog_id` "" then, so that no product has an item.
    """
    columns = [enterprise.c[name] for name in ("id", "name", "slug", "currency", "timezone")]
    writable = enterprise.c.id.in_(sorted(grantors(tx, enterprise_id, "WriteProducts")))
    rows = tx.all(select(*columns).where(writable, enterprise.c.archived_at.is_(None)).order_by(enterprise.c.id))
    sellers = grantors(tx, enterprise_id, "WriteOrders")
    producers = tuple(ListProducer(**row, sells=row["id"] in sellers) for row in rows)
    own = next((producer for producer in producers if producer.id == enterprise_id), None)
    if own is None:
        raise NotFound
    return ListContext(
        enterprise_id=enterprise_id,
        currency=own.currency,
        catalog_id=_find_catalog_id(tx, enterprise_id, catalog_id, or_none=without_catalog),
        producers=producers,
        spellings=_spellings(producers),
        declared=tx.plugin_fields.products,
    )


def find_producer(context: ListContext, typed: str) -> ListProducer | None:
    """The producer with this slug or name; None if there is none, or several of that name."""
    return context.spellings.get(typed) or context.spellings.get(search_key(typed))


def _spellings(producers: Iterable[ListProducer]) -> dict[str, ListProducer]:
    """Producers by slug, and by name if only one has that name."""
    by_name: dict[str, list[ListProducer]] = defaultdict(list)
    for producer in producers:
        by_name[search_key(producer.name)].append(producer)
    unique = {key: same[0] for key, same in by_name.items() if len(same) == 1}
    return unique | {producer.slug: producer for producer in producers}


def existing_products(tx: Transaction, context: ListContext, producer_ids: Collection[str]) -> list[ExistingProduct]:
    """All products of these producers, archived ones included, with their items in the catalog. One statement."""
    product, item = supplied_product, catalog_item
    today = local_day(literal(tx.now, Time), enterprise.c.timezone)
    item_columns = {
        "item_id": item.c.id,
        "item_name": item.c.name,
        "hidden": item.c.hidden,
        "item_version": item.c.version,
        "offer_id": offer.c.id,
        "price": offer.c.price,
        "offer_version": offer.c.version,
    }
    rows = tx.all(
        select(product, rate_in_force(product.c.id, today).label("vat_rate"), *_labelled(item_columns))
        .join(enterprise, enterprise.c.id == product.c.enterprise_id)
        .outerjoin(item, and_(item.c.product_id == product.c.id, item.c.catalog_id == context.catalog_id))
        .outerjoin(offer, and_(offer.c.item_id == item.c.id, offer.c.category_id.is_(None)))
        .where(product.c.enterprise_id.in_(sorted(producer_ids)))
        .order_by(product.c.id)
    )
    return [_product_from(row) for row in rows]


def existing_lots(tx: Transaction, producer_ids: Collection[str]) -> dict[str, Lot]:
    """All lots of these producers by id. One statement."""
    names = [name for name in Lot.__dataclass_fields__ if name != "producer_id"]
    columns = [stock_lot.c[name] for name in names]
    rows = tx.all(
        select(stock_lot.c.enterprise_id.label("producer_id"), *columns)
        .where(stock_lot.c.enterprise_id.in_(sorted(producer_ids)))
        .order_by(stock_lot.c.id)
    )
    return {row["id"]: Lot(**row) for row in rows}


def _find_catalog_id(tx: Transaction, enterprise_id: str, catalog_id: str | None, *, or_none: bool) -> str:
    query = select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id)
    if catalog_id is not None:
        query = query.where(catalog.c.id == catalog_id)
    ids = [row["id"] for row in tx.all(query.limit(2))]
    if len(ids) == 1:
        return str(ids[0])
    if catalog_id is not None:
        raise NotFound("no_catalog", "There is no such catalog.")
    if ids:
        raise Refused("which_catalog", "There are several catalogs. Say which one the list is for.")
    if or_none:
        return ""
    raise Refused("no_catalog_yet", "There is no catalog yet. Make one first, then read the list.")


def _labelled(columns: Mapping[str, ColumnElement[object]]) -> list[Label[object]]:
    return [column.label(name) for name, column in columns.items()]


def _product_from(row: Row) -> ExistingProduct:
    values = {name: row[name] for name in ExistingProduct.__dataclass_fields__ if name in row}
    values |= {"producer_id": row["enterprise_id"], "archived": row["archived_at"] is not None}
    return ExistingProduct(**values | terms_in(row), item=_item_from(row))


def _item_from(row: Row) -> Item | None:
    if row["item_id"] is None:
        return None
    return Item(
        id=row["item_id"],
        name=row["item_name"],
        hidden=row["hidden"],
        version=row["item_version"],
        offer_id=row["offer_id"],
        price=row["price"],
        offer_version=row["offer_version"],
    )
