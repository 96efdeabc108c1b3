"""Catalogs that come with an enterprise from another instance: written in bulk, under the ids that they had there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, bindparam, delete, select, update

from ...base.errors import Conflict, Invalid, Problem
from ...base.money import LARGEST
from ...base.texts import read_text
from ...storage.database import Transaction, insert_rows, refuse_conflict
from ..enterprises.tables import customer_category
from .tables import catalog, catalog_item, item_shown_to, offer


@dataclass(frozen=True, kw_only=True)
class BroughtItem:
    """An item; the fields are those of `CatalogItem`. `prices` are minor units by customer category, None: everybody's.

    The product is the enterprise's own.
    """

    id: str
    catalog_id: str
    product_id: str
    name: str | None
    position: int
    hidden: bool
    shown_to: tuple[str, ...]
    prices: Mapping[str | None, int]


def bring_listing(
    tx: Transaction,
    enterprise_id: str,
    *,
    categories: Mapping[str, str],
    catalogs: Mapping[str, str],
    items: Sequence[BroughtItem],
) -> None:
    """Writes customer categories and catalogs, names by id, and what the catalogs list.

    What the enterprise left here when it moved away before is brought up to date. Raises `Invalid` for names and prices
    that cannot be, `Conflict` where something of that id or name is somebody else's.
    """
    problems: list[Problem] = []
    names = {id: read_text(name, "/name", problems, least=1) for id, name in {**categories, **catalogs}.items()}
    if any(not 0 <= price <= LARGEST for one in items for price in one.prices.values()):
        problems.append(Problem("price", "A price lies between 0 and {most}.", "/price", {"most": LARGEST}))
    if problems:
        raise Invalid(problems)
    with refuse_conflict(tx, duplicate=Conflict("there_already", "Some of this is here already.")):
        _keep_named(tx, customer_category, enterprise_id, {id: names[id] for id in categories})
        _keep_named(tx, catalog, enterprise_id, {id: names[id] for id in catalogs})
        _keep_items(tx, enterprise_id, items)
    _keep_offers(tx, items)


def _keep_named(tx: Transaction, table: Table, enterprise_id: str, names: Mapping[str, str]) -> None:
    """Categories or catalogs. Those that were left behind when the enterprise left get their names anew."""
    mine = select(table.c.id).where(table.c.enterprise_id == enterprise_id)
    known = {row["id"] for row in tx.all(mine)}
    new = [{"id": id, "enterprise_id": enterprise_id, "name": names[id], "version": 1} for id in names]
    insert_rows(tx, table, [row for row in new if row["id"] not in known])
    again = [{"mine": id, "said": name} for id, name in names.items() if id in known]
    if again:
        tx.execute(update(table).where(table.c.id == bindparam("mine")).values(name=bindparam("said")), again)


def _keep_items(tx: Transaction, enterprise_id: str, items: Sequence[BroughtItem]) -> None:
    mine = catalog_item.c.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    known = {row["id"] for row in tx.all(select(catalog_item.c.id).where(mine))}
    insert_rows(tx, catalog_item, [_item(tx, one) for one in items if one.id not in known])
    again = [
        {"mine": one.id, "own": one.name, "place": one.position, "hides": one.hidden}
        for one in items
        if one.id in known
    ]
    if again:
        values = {
            "name": bindparam("own"),
            "position": bindparam("place"),
            "hidden": bindparam("hides", type_=catalog_item.c.hidden.type),
        }
        tx.execute(update(catalog_item).where(catalog_item.c.id == bindparam("mine")).values(values), again)
        ids = [row["mine"] for row in again]
        for table in (item_shown_to, offer):
            tx.execute(delete(table).where(table.c.item_id.in_(ids)))


def _keep_offers(tx: Transaction, items: Sequence[BroughtItem]) -> None:
    insert_rows(tx, item_shown_to, [{"item_id": one.id, "category_id": to} for one in items for to in one.shown_to])
    prices = [
        {"id": tx.new_id(), "item_id": one.id, "category_id": category_id, "price": price, "version": 1}
        for one in items
        for category_id, price in one.prices.items()
    ]
    insert_rows(tx, offer, prices)


def _item(tx: Transaction, one: BroughtItem) -> dict[str, object]:
    return {
        "id": one.id, "catalog_id": one.catalog_id, "product_id": one.product_id, "name": one.name,
        "position": one.position, "hidden": one.hidden, "created_at": tx.now, "version": 1,
    }  # fmt: skip
