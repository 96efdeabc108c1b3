"""Catalogs that come with an enterprise from another instance: written in bulk, under the ids that they had there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..enterprises.tables import customer_category
from ..errors import Conflict, Invalid, Problem
from ..money import LARGEST
from ..store import Transaction, insert_rows, refusing
from ..texts import read_text
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

    Raises `Invalid` for names and prices that cannot be, `Conflict` where something of that id or name is here already.
    """
    problems: list[Problem] = []
    names = {id: read_text(name, "/name", problems, least=1) for id, name in {**categories, **catalogs}.items()}
    if any(not 0 <= price <= LARGEST for one in items for price in one.prices.values()):
        problems.append(Problem("price", "A price lies between 0 and {most}.", "/price", {"most": LARGEST}))
    if problems:
        raise Invalid(problems)
    made = {"enterprise_id": enterprise_id, "version": 1}
    with refusing(tx, double=Conflict("there_already", "Some of this is here already.")):
        insert_rows(tx, customer_category, [{"id": id, "name": names[id], **made} for id in categories])
        insert_rows(tx, catalog, [{"id": id, "name": names[id], **made} for id in catalogs])
        insert_rows(tx, catalog_item, [_item(tx, one) for one in items])
        insert_rows(tx, item_shown_to, [{"item_id": one.id, "category_id": to} for one in items for to in one.shown_to])
        insert_rows(
            tx,
            offer,
            [
                {"id": tx.new_id(), "item_id": one.id, "category_id": category_id, "price": price, "version": 1}
                for one in items
                for category_id, price in one.prices.items()
            ],
        )


def _item(tx: Transaction, one: BroughtItem) -> dict[str, object]:
    return {
        "id": one.id, "catalog_id": one.catalog_id, "product_id": one.product_id, "name": one.name,
        "position": one.position, "hidden": one.hidden, "created_at": tx.now, "version": 1,
    }  # fmt: skip
