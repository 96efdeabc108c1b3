"""Queries for products. Each function runs one statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, literal, select

from ..base.errors import NotFound
from ..base.search import matches
from ..enterprises.tables import enterprise
from ..stock.lots import LOT_COLUMNS, lot_beside, lot_of
from ..stock.tables import stock_lot
from ..storage.database import Row, RowQuery, Time, Transaction, local_day
from .fields import terms_in
from .tables import supplied_product
from .values import StockedProduct, SuppliedProduct
from .vat import rate_in_force

_FIELDS = tuple(SuppliedProduct.__dataclass_fields__)


def _products(now: ColumnElement[datetime]) -> RowQuery:
    rate = rate_in_force(supplied_product.c.id, local_day(now, enterprise.c.timezone)).label("vat_rate")
    return select(supplied_product, rate).join(enterprise, enterprise.c.id == supplied_product.c.enterprise_id)


# Built once, since every order needs them.
_TODAY = _products(bindparam("now", type_=Time))
_BY_ID = _TODAY.where(
    supplied_product.c.id == bindparam("product"), supplied_product.c.enterprise_id == bindparam("enterprise")
)
_BY_IDS = _TODAY.where(supplied_product.c.id.in_(bindparam("products", expanding=True)))


def product_by_id(tx: Transaction, enterprise_id: str, product_id: str) -> SuppliedProduct:
    """One product of the enterprise, archived or not. Raises `NotFound`."""
    row = tx.first(_BY_ID, {"now": tx.now, "product": product_id, "enterprise": enterprise_id})
    if row is None:
        raise NotFound("no_product", "There is no such product.")
    return product_of(row)


def products_of(
    tx: Transaction,
    enterprise_id: str,
    *,
    search: str = "",
    lot_id: str | None = None,
    archived: bool = False,
    after: str = "",
    limit: int = 50,
) -> list[StockedProduct]:
    """The enterprise's products with their stock, ordered by id, beginning after the id `after`.

    `search` is words of the name or sku, in any order; `lot_id` selects the sizes of one lot.
    """
    product = supplied_product.c
    conditions = [
        _is_of(enterprise_id),
        product.archived_at.is_not(None) if archived else product.archived_at.is_(None),
    ]
    if lot_id is not None:
        conditions.append(product.lot_id == lot_id)
    return products_where(tx, *conditions, search=search, after=after, limit=limit)


def count_products(tx: Transaction, enterprise_id: str) -> int:
    """The number of the enterprise's products that are not archived, in one statement."""
    of_enterprise = (_is_of(enterprise_id), supplied_product.c.archived_at.is_(None))
    return int(tx.value(select(func.count()).select_from(supplied_product).where(*of_enterprise)))


def products_where(
    tx: Transaction, *conditions: ColumnElement[bool], search: str = "", after: str = "", limit: int = 50
) -> list[StockedProduct]:
    """The same as `products_of`, for any conditions on `supplied_product`."""
    product = supplied_product.c
    query = _products(literal(tx.now, Time)).where(*conditions, product.id > after)
    if search.strip():
        query = query.where(matches(product.search, search))
    query = query.add_columns(*LOT_COLUMNS).join(stock_lot, stock_lot.c.id == product.lot_id)
    return [_stocked_from(row) for row in tx.all(query.order_by(product.id).limit(limit))]


def products_by_id(tx: Transaction, product_ids: Collection[str]) -> dict[str, SuppliedProduct]:
    """The existing products among these ids, of any enterprise, by id."""
    rows = tx.all(_BY_IDS, {"now": tx.now, "products": sorted(product_ids)}) if product_ids else ()
    return {row["id"]: product_of(row) for row in rows}


def stocked_by_id(tx: Transaction, product_ids: Collection[str]) -> dict[str, StockedProduct]:
    """The same as `products_by_id` with stock, archived products included."""
    products = products_where(tx, supplied_product.c.id.in_(sorted(product_ids)), limit=len(product_ids))
    return {stocked.product.id: stocked for stocked in products}


@dataclass(frozen=True)
class ProductKind:
    """A product's DFC product type and labels."""

    product_type: str
    labels: tuple[str, ...]


def kinds_of(tx: Transaction, product_ids: Collection[str]) -> dict[str, ProductKind]:
    """The kinds of these products, of any enterprise, by id."""
    product = supplied_product.c
    rows = tx.all(select(product.id, product.product_type, product.labels).where(product.id.in_(product_ids)))
    return {row["id"]: ProductKind(row["product_type"], tuple(row["labels"])) for row in rows}


def product_values(tx: Transaction, plugin: str, product_ids: Collection[str]) -> dict[str, Mapping[str, object]]:
    """What producers have said of these products in the plugin's fields: by product the values by the field's name. A
    number is a text, as it is stored; what is a field's default is left out, and so are products without any value."""
    product = supplied_product.c
    rows = tx.all(select(product.id, product.plugin_fields).where(product.id.in_(sorted(set(product_ids)))))
    return {row["id"]: row["plugin_fields"][plugin] for row in rows if plugin in row["plugin_fields"]}


def pieces_left(*, free: int, unlimited: bool, lot_quantity: int) -> int | None:
    """The number of whole pieces in a lot's free grains; None if the lot is unlimited."""
    return None if unlimited else free // lot_quantity


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return supplied_product.c.enterprise_id == enterprise_id


def product_of(row: Row) -> SuppliedProduct:
    """Makes a product from a row of `supplied_product` with its `vat_rate`."""
    return SuppliedProduct(**{name: row[name] for name in _FIELDS} | terms_in(row))


def _stocked_from(row: Row) -> StockedProduct:
    lot = lot_beside(row)
    pieces = pieces_left(free=lot.free + lot.beyond, unlimited=lot.unlimited, lot_quantity=row["lot_quantity"])
    return StockedProduct(product=product_of(row), lot=lot_of(lot), left=pieces)
