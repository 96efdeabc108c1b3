"""The products that an enterprise may list and sell: its own, and those of producers that granted it the right."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, literal, or_, select

from ..enterprises.tables import enterprise_grant
from ..products.questions import products_where
from ..products.tables import supplied_product
from ..products.values import StockedProduct
from ..storage.database import Transaction
from .tables import catalog, catalog_item

# The DFC scopes that a producer grants to an enterprise which sells its goods: to read products, to place orders.
SELLING = ("ReadProducts", "WriteOrders")


def grants_all(
    grantor: ColumnElement[object], grantee: ColumnElement[object] | str, *scopes: str
) -> ColumnElement[bool]:
    """The condition that grantor and grantee are the same, or that the grantor granted all these scopes."""
    granted = (
        select(func.count())
        .select_from(enterprise_grant)
        .where(
            enterprise_grant.c.grantor_id == grantor,
            enterprise_grant.c.grantee_id == grantee,
            enterprise_grant.c.scope.in_(scopes),
        )
        .scalar_subquery()
    )
    return or_(grantor == grantee, granted == literal(len(scopes)))


def sellable_products(
    tx: Transaction,
    enterprise_id: str,
    *,
    producer_id: str | None = None,
    search: str = "",
    after: str = "",
    limit: int = 50,
) -> list[StockedProduct]:
    """Products that the enterprise may list, ordered by id, beginning after the id `after`. One statement."""
    product = supplied_product.c
    conditions = [product.archived_at.is_(None), grants_all(product.enterprise_id, enterprise_id, *SELLING)]
    if producer_id is not None:
        conditions.append(product.enterprise_id == producer_id)
    return products_where(tx, *conditions, search=search, after=after, limit=limit)


@dataclass(frozen=True, kw_only=True)
class RangeSize:
    """How many goods of a producer an enterprise may sell, and how many of them its catalogs list."""

    products: int
    listed: int


def count_ranges(tx: Transaction, enterprise_id: str) -> dict[str, RangeSize]:
    """The sizes of the ranges that the enterprise may list, by producer; its own included. One statement."""
    product = supplied_product.c
    own_items = (
        select(catalog_item.c.product_id)
        .join(catalog, catalog.c.id == catalog_item.c.catalog_id)
        .where(catalog.c.enterprise_id == enterprise_id)
    )
    is_listed = case((product.id.in_(own_items), 1), else_=0)
    query = (
        select(product.enterprise_id, func.count().label("products"), func.sum(is_listed).label("listed"))
        .where(product.archived_at.is_(None), grants_all(product.enterprise_id, enterprise_id, *SELLING))
        .group_by(product.enterprise_id)
    )
    return {
        row["enterprise_id"]: RangeSize(products=int(row["products"]), listed=int(row["listed"]))
        for row in tx.all(query)
    }
