"""What there is before a list is read, or to write into one: producers, their products and lots, and the catalog."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, literal, select

from ...base.errors import NotFound, Refused
from ...base.search import search_key
from ...storage.database import Time, Transaction, local_day
from ..catalogs.tables import catalog, catalog_item, offer
from ..enterprises.grants import grantors
from ..enterprises.tables import enterprise
from ..products.tables import supplied_product
from ..products.vat import rate_in_force
from ..stock.tables import stock_lot


@dataclass(frozen=True, kw_only=True)
class Producer:
    """An enterprise whose products the list may hold. `sells`: the list's enterprise may sell them."""

    id: str
    name: str
    slug: str
    currency: str
    timezone: str
    sells: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose list it is, the catalog that it fills, and whose products it may change: its own, and those of producers
    that granted it WriteProducts. `spellings` are the slugs and names of these."""

    enterprise_id: str
    currency: str
    catalog_id: str
    producers: tuple[Producer, ...]
    spellings: Mapping[str, Producer]


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

    @property
    def bound(self) -> int:
        """What is there and not free: ordered, or for others to sell."""
        return self.reserved + self.lent

    def pieces(self, lot_quantity: int) -> int:
        """How many whole pieces of this size are there, ordered and lent ones included."""
        return (self.free + self.bound) // lot_quantity


@dataclass(frozen=True, kw_only=True)
class Item:
    """A product's place in the catalog, with its general offer; both may have been left unmade."""

    id: str
    name: str | None
    hidden: bool
    version: int
    offer_id: str | None
    price: int | None
    offer_version: int | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """A product that exists. `vat_rate` is in force today, in percent; `item` is none where the catalog lacks it."""

    id: str
    producer_id: str
    version: int
    archived: bool
    lot_id: str
    lot_quantity: int
    name: str
    description: str
    product_type: str
    sku: str | None
    quantity: Decimal
    unit: str
    weighed: bool
    labels: tuple[str, ...]
    allergens: tuple[str, ...]
    deposit: int
    vat_rate: Decimal
    item: Item | None


def place_of(tx: Transaction, enterprise_id: str, catalog_id: str | None) -> Place:
    """The place of an enterprise's list. None as catalog is its only one.

    Raises `NotFound` for a catalog of somebody else, `Refused` where it must be said which one is meant.
    """
    columns = [enterprise.c[name] for name in ("id", "name", "slug", "currency", "timezone")]
    writable = enterprise.c.id.in_(sorted(grantors(tx, enterprise_id, "WriteProducts")))
    rows = tx.all(select(*columns).where(writable, enterprise.c.archived_at.is_(None)).order_by(enterprise.c.id))
    sold = grantors(tx, enterprise_id, "WriteOrders")
    producers = tuple(Producer(**row, sells=row["id"] in sold) for row in rows)
    own = next((one for one in producers if one.id == enterprise_id), None)
    if own is None:
        raise NotFound
    return Place(
        enterprise_id=enterprise_id,
        currency=own.currency,
        catalog_id=_catalog(tx, enterprise_id, catalog_id),
        producers=producers,
        spellings=_spellings(producers),
    )


def find_producer(place: Place, typed: str) -> Producer | None:
    """The producer whose slug or name this is; None where there is none, or several of that name."""
    return place.spellings.get(typed) or place.spellings.get(search_key(typed))


def _spellings(producers: Iterable[Producer]) -> dict[str, Producer]:
    """Producers by slug, and by name where only one has it."""
    named: dict[str, list[Producer]] = defaultdict(list)
    for one in producers:
        named[search_key(one.name)].append(one)
    alone = {key: same[0] for key, same in named.items() if len(same) == 1}
    return alone | {one.slug: one for one in producers}


def known_products(tx: Transaction, place: Place, producer_ids: Collection[str]) -> list[Known]:
    """All products of these producers, archived ones too, with what the catalog says of them: one statement."""
    product, item = supplied_product, catalog_item
    today = local_day(literal(tx.now, Time), enterprise.c.timezone)
    more = {
        "item_id": item.c.id, "item_name": item.c.name, "hidden": item.c.hidden, "item_version": item.c.version,
        "offer_id": offer.c.id, "price": offer.c.price, "offer_version": offer.c.version,
    }  # fmt: skip
    rows = tx.all(
        select(product, rate_in_force(product.c.id, today).label("vat_rate"), *_named(more))
        .join(enterprise, enterprise.c.id == product.c.enterprise_id)
        .outerjoin(item, and_(item.c.product_id == product.c.id, item.c.catalog_id == place.catalog_id))
        .outerjoin(offer, and_(offer.c.item_id == item.c.id, offer.c.category_id.is_(None)))
        .where(product.c.enterprise_id.in_(sorted(producer_ids)))
        .order_by(product.c.id)
    )
    return [_known(row) for row in rows]


def known_lots(tx: Transaction, producer_ids: Collection[str]) -> dict[str, Lot]:
    """All lots of these producers by id: one statement."""
    names = [name for name in Lot.__dataclass_fields__ if name != "producer_id"]
    columns = [stock_lot.c[name] for name in names]
    rows = tx.all(
        select(stock_lot.c.enterprise_id.label("producer_id"), *columns)
        .where(stock_lot.c.enterprise_id.in_(sorted(producer_ids)))
        .order_by(stock_lot.c.id)
    )
    return {row["id"]: Lot(**row) for row in rows}


def _catalog(tx: Transaction, enterprise_id: str, catalog_id: str | None) -> str:
    mine = select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id)
    if catalog_id is not None:
        mine = mine.where(catalog.c.id == catalog_id)
    ids = [row["id"] for row in tx.all(mine.limit(2))]
    if len(ids) == 1:
        return str(ids[0])
    if catalog_id is not None:
        raise NotFound("no_catalog", "There is no such catalog.")
    if ids:
        raise Refused("which_catalog", "There are several catalogs. Say which one the list is for.")
    raise Refused("no_catalog_yet", "There is no catalog yet. Make one first, then read the list.")


def _named(columns: Mapping[str, Any]) -> list[Any]:
    return [column.label(name) for name, column in columns.items()]


def _known(row: Mapping[Any, Any]) -> Known:
    values = {name: row[name] for name in Known.__dataclass_fields__ if name in row}
    values |= {"producer_id": row["enterprise_id"], "archived": row["archived_at"] is not None}
    values |= {"labels": tuple(row["labels"]), "allergens": tuple(row["allergens"])}
    return Known(**values, item=_item(row))


def _item(row: Mapping[Any, Any]) -> Item | None:
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
