"""Settings of plugins that name a sale, and the owner of a sale that is named by its id alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Column, select

from ..base.errors import NotFound, Problem
from ..base.languages.formats import format_day
from ..catalogs.tables import catalog, catalog_item, offer
from ..enterprises.enterprises import enterprise_by_id
from ..enterprises.references import Nameable, NamedKind, Names
from ..enterprises.tables import customer_category
from ..hooks.dispatcher import Hooks
from ..products.tables import supplied_product
from ..storage.database import RowQuery, Transaction
from .tables import coordination, sale_session

_SHOWN = 10  # sales that an error lists


@dataclass(frozen=True)
class NamesSale(Names):
    """Marks a plugin's setting that names a sale session at the enterprise: ``sale: Annotated[str, NamesSale()]``.

    People write its id, or the name of the sale if only one has it; the id is stored.
    """

    kind: NamedKind = "sale"

    def names_by_id(self, tx: Transaction, hooks: Hooks, enterprise_id: str) -> Mapping[str, str]:
        """Returns the names of all sales at the enterprise, the newest first."""
        query = select(sale_session.c.id, coordination.c.name).join_from(sale_session, coordination)
        newest_first = query.where(sale_session.c.enterprise_id == enterprise_id).order_by(sale_session.c.id.desc())
        return {row["id"]: row["name"] for row in tx.all(newest_first)}

    def nameable(self, tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> Sequence[Nameable]:
        """Returns all sales at the enterprise with their days, the next first; those whose distribution is over are
        past."""
        timezone = enterprise_by_id(tx, enterprise_id).timezone
        query = select(sale_session.c.id, coordination.c.name, sale_session.c.begins_at, sale_session.c.ends_at)
        query = query.join_from(sale_session, coordination).where(sale_session.c.enterprise_id == enterprise_id)
        return [
            Nameable(
                id=row["id"],
                label=f"{row['name']} · {format_day(row['begins_at'], timezone, language)}",
                past=row["ends_at"] < tx.now,
            )
            for row in tx.all(query.order_by(sale_session.c.begins_at, sale_session.c.id))
        ]

    def unknown(self, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
        sales = [f"{name} ({id})" for id, name in list(names_by_id.items())[:_SHOWN]]
        message = "There is no sale {name} here, or there are several. Give the id of one: {right}."
        return Problem("no_sale", message, where, {"name": text[:100], "right": ", ".join(sales) or "–"})


# Finds the owner of an object that is named by its id alone, as in addresses of other platforms.

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
