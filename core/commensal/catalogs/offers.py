"""Prices of items: one for everybody, and further ones for customer categories."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, case, delete, func, select, text, update

from ..base.errors import Invalid, NotFound, Problem, Stale
from ..base.money import price_problem
from ..enterprises.tables import customer_category
from ..events.announce import announce_listing
from ..storage.database import MAX_DETAILED_ROWS, Transaction, insert_or, insert_rows, refuse_conflict
from .catalogs import catalog_by_id
from .items import item_by_id
from .tables import catalog, catalog_item, offer, purchase_terms
from .values import Offer


def set_price(
    tx: Transaction,
    enterprise_id: str,
    item_id: str,
    price: int,
    *,
    category_id: str | None = None,
    version: int | None = None,
) -> Offer:
    """Sets the price of one piece, in minor units of the enterprise's currency, for a category or for everybody (None).

    Each call raises the offer's version by one. With the `version` that the caller has seen (0: there was no price), it
    overwrites no other. Raises `Invalid`, `NotFound`; `Stale` for another version.
    """
    item_by_id(tx, enterprise_id, item_id)
    if category_id is not None and not _is_category(tx, enterprise_id, category_id):
        raise NotFound("no_category", "There is no such customer category.")
    _refuse_impossible(price)
    insertion = insert_or(tx, offer).values(
        id=tx.new_id(), item_id=item_id, category_id=category_id, price=price, version=1
    )
    everybody = text("category_id IS NULL") if category_id is None else None
    key = ["item_id"] if category_id is None else ["item_id", "category_id"]
    values = {"price": insertion.excluded.price, "version": offer.c.version + 1}
    seen = None if version is None else offer.c.version == version
    upsert = insertion.on_conflict_do_update(index_elements=key, index_where=everybody, set_=values, where=seen)
    row = tx.first(upsert.returning(*offer.c))
    if row is None or (version and row["version"] == 1):  # another price, or none any more
        raise Stale
    changed_offer = Offer(**row)
    announce_listing(tx, catalog_item.c.id == item_id)
    return changed_offer


def set_prices(tx: Transaction, enterprise_id: str, prices: Mapping[str, int]) -> None:
    """Sets the prices for everybody of many items, in minor units of the enterprise's currency by the item's id.

    Twenty of them take one statement, so that the audit trail still notes each. Versions rise as by `set_price`, which
    sets the first price of an item. Raises what it raises.
    """
    for price in prices.values():
        _refuse_impossible(price)
    own = select(catalog_item.c.id).join(catalog).where(catalog.c.enterprise_id == enterprise_id)
    for_everybody = (offer.c.item_id.in_(own), offer.c.category_id.is_(None))
    item_ids = list(prices)
    priced: set[str] = set()
    for start in range(0, len(item_ids), MAX_DETAILED_ROWS):
        some = item_ids[start : start + MAX_DETAILED_ROWS]
        change = update(offer).where(*for_everybody, offer.c.item_id.in_(some))
        price_of_item = case({item_id: prices[item_id] for item_id in some}, value=offer.c.item_id)
        change = change.values(price=price_of_item, version=offer.c.version + 1)
        priced.update(row["item_id"] for row in tx.all(change.returning(offer.c.item_id)))
    for item_id in item_ids:
        if item_id not in priced:
            set_price(tx, enterprise_id, item_id, prices[item_id])
    if priced:
        announce_listing(tx, catalog_item.c.id.in_(priced))


def set_category_prices(
    tx: Transaction, enterprise_id: str, category_id: str, prices: Mapping[str, int | None], seen: Mapping[str, int]
) -> None:
    """Sets what one category pays for many items, in minor units by the item's id; None: what everybody pays.

    `seen` has the versions of the category's prices that the caller has read, by item; items that are not in it had
    none. Twenty items take one statement, as by `set_prices`. Raises `NotFound` for a category or an item that is not
    the enterprise's, `Invalid` for an impossible price, `Stale` if one of the prices has changed since.
    """
    if not _is_category(tx, enterprise_id, category_id):
        raise NotFound("no_category", "There is no such customer category.")
    for price in prices.values():
        if price is not None:
            _refuse_impossible(price)
    own = select(catalog_item.c.id).join(catalog).where(catalog.c.enterprise_id == enterprise_id)
    if len(tx.all(own.where(catalog_item.c.id.in_(list(prices))))) != len(prices):
        raise NotFound("no_item", "There is no such item.")
    item_ids = sorted(prices)
    for start in range(0, len(item_ids), MAX_DETAILED_ROWS):
        some = {item_id: prices[item_id] for item_id in item_ids[start : start + MAX_DETAILED_ROWS]}
        _set_some(tx, category_id, some, seen)
    announce_listing(tx, catalog_item.c.id.in_(item_ids))


def _set_some(tx: Transaction, category_id: str, prices: Mapping[str, int | None], seen: Mapping[str, int]) -> None:
    """Changes, removes and adds the prices of a few items. Raises `Stale`."""
    changed = {item_id: price for item_id, price in prices.items() if item_id in seen and price is not None}
    removed = [item_id for item_id, price in prices.items() if item_id in seen and price is None]
    rows = [
        {"id": tx.new_id(), "item_id": item_id, "category_id": category_id, "price": price, "version": 1}
        for item_id, price in prices.items()
        if item_id not in seen and price is not None
    ]
    of_category = offer.c.category_id == category_id
    if changed:
        as_seen = offer.c.version == case({id: seen[id] for id in changed}, value=offer.c.item_id)
        change = update(offer).where(of_category, offer.c.item_id.in_(list(changed)), as_seen)
        values = {"price": case(changed, value=offer.c.item_id), "version": offer.c.version + 1}
        if tx.execute(change.values(values)).rowcount != len(changed):
            raise Stale
    if removed:
        as_seen = offer.c.version == case({id: seen[id] for id in removed}, value=offer.c.item_id)
        removal = delete(offer).where(of_category, offer.c.item_id.in_(removed), as_seen)
        if tx.execute(removal).rowcount != len(removed):
            raise Stale
    with refuse_conflict(tx, duplicate=Stale()):
        insert_rows(tx, offer, rows)


def remove_price(
    tx: Transaction, enterprise_id: str, item_id: str, *, category_id: str | None = None, version: int | None = None
) -> None:
    """Removes a price. The category then pays the price for everybody; without that one it does not see the item.

    With the `version` that the caller has seen it removes no other. Raises `NotFound`; `Stale` for another version.
    """
    item_by_id(tx, enterprise_id, item_id)
    is_for_category = offer.c.category_id.is_(None) if category_id is None else offer.c.category_id == category_id
    removal = delete(offer).where(offer.c.item_id == item_id, is_for_category)
    if version is not None:
        removal = removal.where(offer.c.version == version)
    if tx.execute(removal).rowcount != 1:
        raise NotFound("no_price", "There is no such price.") if version is None else Stale
    announce_listing(tx, catalog_item.c.id == item_id)


def _refuse_impossible(price: int) -> None:
    problem = price_problem(price, "/price")
    if problem is not None:
        raise Invalid([problem])


def _is_category(tx: Transaction, enterprise_id: str, category_id: str) -> bool:
    conditions = (customer_category.c.id == category_id, customer_category.c.enterprise_id == enterprise_id)
    return tx.first(select(customer_category.c.id).where(*conditions)) is not None


# What an enterprise pays the producer of an item: a purchase price, or a margin that it keeps of its selling price.
#
# Every change is a new row. A line of an order keeps the price of the terms that were in force when it was ordered:
# the statement that writes it reads them, so they cost the order none of its own. Terms are the enterprise's secret:
# no offer, order or catalog item that others read contains them.

MOST_AT_ONCE = 1000  # items
HUNDREDTHS = 100  # of a percent, in which margins are stored
_terms = purchase_terms.c


@dataclass(frozen=True, kw_only=True)
class PurchaseTerms:
    """price:  minor units of the enterprise's currency, for one piece; includes VAT if the enterprise's prices do
    margin: percent of the selling price that the enterprise keeps, with at most two decimals

    At most one of them is set; with neither, the producer gets the selling price. That is always the one for everybody:
    what a customer category pays less is at the enterprise's cost.
    """

    price: int | None = None
    margin: Decimal | None = None


def set_purchase_terms(tx: Transaction, enterprise_id: str, terms: Mapping[str, PurchaseTerms]) -> None:
    """Sets the terms of items, by item id, for what is ordered from now on. Terms that are in force already make no new
    row. Three statements, whatever their number.

    Raises `Invalid` with every mistake, at "/items/<item>"; then nothing has changed.
    """
    if len(terms) > MOST_AT_ONCE:
        raise Invalid([Problem("too_many", "Name at most {most} items at once.", "/items", {"most": MOST_AT_ONCE})])
    is_own = catalog_item.c.catalog_id.in_(select(catalog.c.id).where(catalog.c.enterprise_id == enterprise_id))
    known = {row["id"] for row in tx.all(select(catalog_item.c.id).where(catalog_item.c.id.in_(sorted(terms)), is_own))}
    problems = [
        Problem("no_item", "There is no such item.", f"/items/{item_id}") for item_id in terms if item_id not in known
    ]
    for item_id, item_terms in terms.items():
        problems += _problems(item_terms, f"/items/{item_id}")
    if problems:
        raise Invalid(problems)
    in_force = _latest(tx, _terms.item_id.in_(sorted(terms)))
    rows = [
        {"id": tx.new_id(), "item_id": item_id, "price": item.price, "margin": _stored(item.margin), "set_at": tx.now}
        for item_id, item in terms.items()
        if item != in_force.get(item_id, PurchaseTerms())
    ]
    insert_rows(tx, purchase_terms, rows)


def purchase_terms_of(tx: Transaction, enterprise_id: str, catalog_id: str) -> dict[str, PurchaseTerms]:
    """Returns the terms in force for the items of a catalog, by item id; items without terms are left out.

    Raises `NotFound`.
    """
    catalog_by_id(tx, enterprise_id, catalog_id)
    items = select(catalog_item.c.id).where(catalog_item.c.catalog_id == catalog_id)
    return _latest(tx, _terms.item_id.in_(items))


def purchase_terms_of_items(tx: Transaction, item_ids: Collection[str]) -> dict[str, PurchaseTerms]:
    """Returns the terms in force of these items, by item id; items without terms are left out. The caller knows whose
    they are."""
    return _latest(tx, _terms.item_id.in_(sorted(item_ids)))


def _latest(tx: Transaction, of_items: ColumnElement[bool]) -> dict[str, PurchaseTerms]:
    latest = select(func.max(_terms.id)).where(of_items).group_by(_terms.item_id)
    rows = tx.all(select(_terms.item_id, _terms.price, _terms.margin).where(_terms.id.in_(latest)))
    return {
        row["item_id"]: PurchaseTerms(price=row["price"], margin=_shown(row["margin"]))
        for row in rows
        if (row["price"], row["margin"]) != (None, None)
    }


def _problems(terms: PurchaseTerms, where: str) -> list[Problem]:
    problems = []
    if terms.price is not None and terms.margin is not None:
        problems.append(Problem("both", "Give a purchase price or a margin, not both.", where))
    if terms.price is not None and (problem := price_problem(terms.price, f"{where}/price")):
        problems.append(problem)
    if terms.margin is not None and not _is_margin(terms.margin):
        text = "A margin is a percentage of the selling price, between 0 and 100, with at most two decimals."
        problems.append(Problem("margin", text, f"{where}/margin"))
    return problems


def _is_margin(margin: Decimal) -> bool:
    return margin.is_finite() and 0 <= margin <= 100 and margin * HUNDREDTHS == int(margin * HUNDREDTHS)


def _stored(margin: Decimal | None) -> int | None:
    return None if margin is None else int(margin * HUNDREDTHS)


def _shown(margin: int | None) -> Decimal | None:
    return None if margin is None else Decimal(margin) / HUNDREDTHS
