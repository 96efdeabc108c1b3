"""What an enterprise pays the producer of an item: a purchase price, or a margin that it keeps of its selling price.

Every change is a new row. A line of an order keeps the price of the terms that were in force when it was ordered: the
statement that writes it reads them, so they cost the order none of its own. Terms are the enterprise's secret: no
offer, order or catalog item that others read contains them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select

from ..base.errors import Invalid, Problem
from ..base.money import price_problem
from ..storage.database import Transaction, insert_rows
from .catalogs import catalog_by_id
from .tables import catalog, catalog_item, purchase_terms

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
