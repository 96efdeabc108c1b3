"""Items of catalogs: the products that an enterprise lists, with its own names, their order and visibility."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypedDict, Unpack

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from ..base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ..base.texts import read_text
from ..enterprises.tables import customer_category
from ..events.announce import announce_listing
from ..products.tables import supplied_product
from ..storage.database import Row, Transaction, edit_row, insert_rows, refuse_conflict
from .catalogs import SELLING, catalog_by_id, grants_all
from .tables import catalog, catalog_item, item_shown_to, offer, purchase_terms
from .values import CatalogItem, Offer

_LAST = 10**9  # position
_MOST_CATEGORIES = 200


class ItemContent(TypedDict, total=False):
    """Fields of an item that can be set; they are those of `CatalogItem`."""

    name: str | None
    position: int
    hidden: bool
    shown_to: Sequence[str]


def add_item(
    tx: Transaction, enterprise_id: str, catalog_id: str, product_id: str, **content: Unpack[ItemContent]
) -> CatalogItem:
    """Lists a product of the enterprise, or of a producer that grants it `sellable.SELLING`. It has no price yet.

    Without a `position` it comes last. Raises `NotFound` for a product that the enterprise may not see, `Forbidden` for
    one that it may not sell, `Conflict` for one that is listed already, `Invalid` with every mistake.
    """
    catalog_by_id(tx, enterprise_id, catalog_id)
    _refuse_unless_granted(tx, enterprise_id, product_id)
    values = _read_content(tx, enterprise_id, content)
    shown_to = values.pop("shown_to", [])
    last = select(func.coalesce(func.max(catalog_item.c.position), 0) + 1).where(
        catalog_item.c.catalog_id == catalog_id
    )
    defaults = {"name": None, "position": last.scalar_subquery(), "hidden": False, "created_at": tx.now, "version": 1}
    item_id = tx.new_id()
    row = {"id": item_id, "catalog_id": catalog_id, "product_id": product_id, **defaults, **values}
    with refuse_conflict(tx, duplicate=Conflict("listed", "This product is in the catalog already.")):
        tx.execute(insert(catalog_item).values(row))
    _show_to(tx, item_id, shown_to)
    announce_listing(tx, catalog_item.c.id == item_id)
    return item_by_id(tx, enterprise_id, item_id)


def change_item(
    tx: Transaction, enterprise_id: str, item_id: str, version: int, **content: Unpack[ItemContent]
) -> CatalogItem:
    """Changes the named fields: own name (None: the producer's), position, hidden, and the categories that see it.

    Hidden items cannot be ordered, not even in open sales. Raises `Invalid`, `NotFound`, `Stale`.
    """
    values = _read_content(tx, enterprise_id, content)
    shown_to = values.pop("shown_to", None)
    edit_row(tx, catalog_item, catalog_item.c.id == item_id, _is_of(enterprise_id), version=version, values=values)
    if shown_to is not None:
        tx.execute(delete(item_shown_to).where(item_shown_to.c.item_id == item_id))
        _show_to(tx, item_id, shown_to)
    announce_listing(tx, catalog_item.c.id == item_id)
    return item_by_id(tx, enterprise_id, item_id)


def remove_item(tx: Transaction, enterprise_id: str, item_id: str) -> None:
    """Removes an item that was never on sale. Raises `NotFound`, `Conflict` for one that was on sale."""
    item_by_id(tx, enterprise_id, item_id)
    used = Conflict("in_use", "This item is or was on sale, so it stays in the records. Hide it instead.")
    announce_listing(tx, catalog_item.c.id == item_id)
    with refuse_conflict(tx, referenced=used):
        tx.execute(delete(item_shown_to).where(item_shown_to.c.item_id == item_id))
        tx.execute(delete(offer).where(offer.c.item_id == item_id))
        tx.execute(delete(purchase_terms).where(purchase_terms.c.item_id == item_id))
        tx.execute(delete(catalog_item).where(catalog_item.c.id == item_id))


def item_by_id(tx: Transaction, enterprise_id: str, item_id: str) -> CatalogItem:
    """The item of the enterprise's catalogs with this id, with its offers. Raises `NotFound`."""
    items = _load_items(tx, catalog_item.c.id == item_id, _is_of(enterprise_id), limit=1)
    if not items:
        raise NotFound("no_item", "There is no such item.")
    return items[0]


def items_by_id(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> list[CatalogItem]:
    """The items of the enterprise's catalogs among these ids, with their offers, ordered by id. Three statements."""
    return _load_items(tx, catalog_item.c.id.in_(sorted(item_ids)), _is_of(enterprise_id), limit=len(item_ids))


def items_of(
    tx: Transaction, enterprise_id: str, catalog_id: str, *, after: str = "", limit: int = 50
) -> list[CatalogItem]:
    """Items of a catalog with their offers, ordered by id, beginning after the id `after`. Three statements."""
    return _load_items(
        tx, catalog_item.c.catalog_id == catalog_id, catalog_item.c.id > after, _is_of(enterprise_id), limit=limit
    )


def hidden_items(tx: Transaction, enterprise_id: str, *, after: str = "", limit: int = 50) -> list[CatalogItem]:
    """Hidden items of all catalogs of the enterprise with their offers, ordered by id, beginning after the id `after`.
    Three statements."""
    return _load_items(tx, catalog_item.c.hidden, catalog_item.c.id > after, _is_of(enterprise_id), limit=limit)


def items_of_category(
    tx: Transaction, enterprise_id: str, category_id: str, *, after: str = "", limit: int = 50
) -> list[CatalogItem]:
    """Items of the enterprise's catalogs that have a price of their own for a customer category, or that are shown to
    it and not to everybody; hidden or not, ordered by id, beginning after the id `after`. Three statements."""
    priced = select(offer.c.item_id).where(offer.c.category_id == category_id)
    shown = select(item_shown_to.c.item_id).where(item_shown_to.c.category_id == category_id)
    concerns_it = or_(catalog_item.c.id.in_(priced), catalog_item.c.id.in_(shown))
    return _load_items(tx, concerns_it, catalog_item.c.id > after, _is_of(enterprise_id), limit=limit)


def producers_in(tx: Transaction, enterprise_id: str, catalog_id: str) -> list[str]:
    """Ids of the producers whose products the enterprise's catalog lists."""
    query = (
        select(supplied_product.c.enterprise_id)
        .join(catalog_item, catalog_item.c.product_id == supplied_product.c.id)
        .where(catalog_item.c.catalog_id == catalog_id, _is_of(enterprise_id))
        .distinct()
    )
    return sorted(row["enterprise_id"] for row in tx.all(query))


def _is_of(enterprise_id: str) -> ColumnElement[bool]:
    return catalog_item.c.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))


def _load_items(tx: Transaction, *conditions: ColumnElement[bool], limit: int) -> list[CatalogItem]:
    product = supplied_product.c
    rows = tx.all(
        select(
            catalog_item,
            product.enterprise_id.label("producer_id"),
            product.name.label("product_name"),
            product.quantity,
            product.unit,
            product.archived_at,
        )
        .join(supplied_product, product.id == catalog_item.c.product_id)
        .where(*conditions)
        .order_by(catalog_item.c.id)
        .limit(limit)
    )
    ids = [row["id"] for row in rows]
    if not ids:
        return []
    offers, shown_to = defaultdict(list), defaultdict(list)
    for row in tx.all(select(offer).where(offer.c.item_id.in_(ids)).order_by(offer.c.id)):
        offers[row["item_id"]].append(Offer(**row))
    for row in tx.all(select(item_shown_to).where(item_shown_to.c.item_id.in_(ids))):
        shown_to[row["item_id"]].append(row["category_id"])
    return [
        CatalogItem(**row, offers=tuple(offers[row["id"]]), shown_to=tuple(sorted(shown_to[row["id"]]))) for row in rows
    ]


def _refuse_unless_granted(tx: Transaction, enterprise_id: str, product_id: str) -> None:
    product = supplied_product.c
    row = tx.first(
        select(grants_all(product.enterprise_id, enterprise_id, *SELLING).label("may_sell")).where(
            product.id == product_id,
            product.archived_at.is_(None),
            grants_all(product.enterprise_id, enterprise_id, "ReadProducts"),
        )
    )
    if row is None:
        raise NotFound("no_product", "There is no such product.")
    if not row["may_sell"]:
        raise Forbidden("not_granted", "The producer does not let this enterprise sell its products.")


def _read_content(tx: Transaction, enterprise_id: str, content: ItemContent) -> Row:
    values: Row = dict(content)
    problems: list[Problem] = []
    if content.get("name") is not None:
        values["name"] = read_text(content["name"] or "", "/name", problems) or None
    if not 0 <= content.get("position", 0) <= _LAST:
        problems.append(Problem("position", "A position is not negative.", "/position"))
    if "shown_to" in content:
        values["shown_to"] = list(dict.fromkeys(content["shown_to"]))
        _refuse_foreign(tx, enterprise_id, values["shown_to"], problems)
    if problems:
        raise Invalid(problems)
    return values


def _refuse_foreign(tx: Transaction, enterprise_id: str, category_ids: list[str], problems: list[Problem]) -> None:
    if len(category_ids) > _MOST_CATEGORIES:
        problems.append(Problem("too_many", "At most {most} can be named.", "/shown_to", {"most": _MOST_CATEGORIES}))
        return
    query = select(customer_category.c.id).where(
        customer_category.c.enterprise_id == enterprise_id, customer_category.c.id.in_(category_ids)
    )
    existing = {row["id"] for row in tx.all(query)}
    problems += [
        Problem("no_category", "There is no such customer category.", f"/shown_to/{index}")
        for index, category_id in enumerate(category_ids)
        if category_id not in existing
    ]


def _show_to(tx: Transaction, item_id: str, category_ids: Sequence[str]) -> None:
    insert_rows(tx, item_shown_to, [{"item_id": item_id, "category_id": category_id} for category_id in category_ids])


# Hides items in a shop's catalogs, one by one or those of a producer, and shows them again.


def hide_producer(tx: Transaction, enterprise_id: str, producer_id: str) -> list[str]:
    """Hides the producer's items in the enterprise's catalogs, so that nobody can order them, not even in open sales.

    Returns the ids of the items that were visible before, for `show_items`: items that the shop hid itself stay hidden.
    """
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    is_of_producer = item.product_id.in_(
        select(supplied_product.c.id).where(supplied_product.c.enterprise_id == producer_id)
    )
    visible_ids = [
        row["id"] for row in tx.all(select(item.id).where(is_own, is_of_producer, ~item.hidden).order_by(item.id))
    ]
    _set(tx, visible_ids, hidden=True)
    return visible_ids


def hide_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> None:
    """Hides items of the enterprise, so that nobody can order them; ignores those that are not its own."""
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    query = select(item.id).where(is_own, item.id.in_(sorted(item_ids)), ~item.hidden).order_by(item.id)
    _set(tx, [row["id"] for row in tx.all(query)], hidden=True)


def show_items(tx: Transaction, enterprise_id: str, item_ids: Collection[str]) -> None:
    """Shows items of the enterprise again; ignores those that no longer exist or are not its own."""
    item = catalog_item.c
    is_own = item.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    query = select(item.id).where(is_own, item.id.in_(sorted(item_ids)), item.hidden).order_by(item.id)
    _set(tx, [row["id"] for row in tx.all(query)], hidden=False)


def _set(tx: Transaction, item_ids: list[str], *, hidden: bool) -> None:
    if not item_ids:
        return
    statement = update(catalog_item).where(catalog_item.c.id.in_(item_ids))
    tx.execute(statement.values(hidden=hidden, version=catalog_item.c.version + 1))
    announce_listing(tx, catalog_item.c.id.in_(item_ids))
