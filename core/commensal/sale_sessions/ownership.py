"""Finds the owner of an object that is named by its id alone, as in addresses of other platforms."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Column, select

from ..base.errors import NotFound
from ..catalogs.tables import catalog, catalog_item, offer
from ..enterprises.tables import customer_category
from ..products.tables import supplied_product
from ..storage.database import RowQuery, Transaction
from .tables import sale_session

Named = Literal["product", "catalog", "item", "offer", "category", "session"]

_in_catalog = select(catalog.c.enterprise_id).join(catalog_item, catalog_item.c.catalog_id == catalog.c.id)
_WHOSE: dict[str, tuple[RowQuery, Column[str]]] = {
    "product": (select(supplied_product.c.enterprise_id), supplied_product.c.id),
    "catalog": (select(catalog.c.enterprise_id), catalog.c.id),
    "item": (_in_catalog, catalog_item.c.id),
    "offer": (_in_catalog.join(offer, offer.c.item_id == catalog_item.c.id), offer.c.id),
    "category": (select(customer_category.c.enterprise_id), customer_category.c.id),
    "session": (select(sale_session.c.enterprise_id), sale_session.c.id),
}


def whose(tx: Transaction, named: Named, id: str) -> str:
    """The id of the enterprise that owns the object; `named` is its kind. Checks no permission. Raises `NotFound`."""
    query, column = _WHOSE[named]
    row = tx.first(query.where(column == id))
    if row is None:
        raise NotFound
    return str(row["enterprise_id"])


def items_of_offers(tx: Transaction, offer_ids: list[str]) -> dict[str, str]:
    """The ids of the items of these offers, by offer id; offers that do not exist are left out."""
    rows = tx.all(select(offer.c.id, offer.c.item_id).where(offer.c.id.in_(offer_ids)))
    return {row["id"]: row["item_id"] for row in rows}
