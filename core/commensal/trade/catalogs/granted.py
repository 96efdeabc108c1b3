"""What an enterprise may list and sell: its own products, and those of producers that let it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal, or_, select

from ...storage.database import Transaction
from ..enterprises.tables import enterprise_grant
from ..products.questions import products_where
from ..products.tables import supplied_product
from ..products.values import StockedProduct
from .tables import catalog, catalog_item

# What a producer grants to whoever sells its goods (DFC scopes): to see them, and to order them.
SELLING = ("ReadProducts", "WriteOrders")


def grants_all(grantor: ColumnElement[Any], grantee: ColumnElement[Any] | str, *scopes: str) -> ColumnElement[bool]:
    """For any statement: the two are the same enterprise, or the one has granted the other all these scopes."""
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


_LISTING = (
    select(catalog.c.enterprise_id)
    .join(catalog_item, catalog_item.c.catalog_id == catalog.c.id)
    .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
    .where(supplied_product.c.lot_id == bindparam("lot"), supplied_product.c.archived_at.is_(None))
    .distinct()
)  # made once, since each request for stock needs it


def who_lists(tx: Transaction, lot_id: str) -> set[str]:
    """Enterprises in whose catalogs something of this lot stands."""
    return {row["enterprise_id"] for row in tx.all(_LISTING, {"lot": lot_id})}


def sellable_products(
    tx: Transaction,
    enterprise_id: str,
    *,
    producer_id: str | None = None,
    search: str = "",
    after: str = "",
    limit: int = 50,
) -> list[StockedProduct]:
    """Products that the enterprise may list now, by id, from the one after `after` on; one statement."""
    product = supplied_product.c
    conditions = [product.archived_at.is_(None), grants_all(product.enterprise_id, enterprise_id, *SELLING)]
    if producer_id is not None:
        conditions.append(product.enterprise_id == producer_id)
    return products_where(tx, *conditions, search=search, after=after, limit=limit)
