"""What a piece of a line costs the shop: fixed in the row when goods are ordered, and kept when an order is rewritten.

It is the shop's secret, so it stands beside the priced line and is no part of it: no order that customers, plugins or
the API read contains it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, delete, func, literal_column, select

from ..catalogs.tables import purchase_terms
from ..storage.database import Transaction, Whole
from .tables import order_line

_terms = purchase_terms.c
_LATEST = purchase_terms.alias("latest")


def cost_of_row(row: FromClause) -> ColumnElement[int]:
    """Returns in SQL what one piece of a row costs that is about to be written, in minor units: what it cost before, or
    what the terms say that are in force now, rounded half up; without terms the selling price.

    The selling price is the one for everybody: what a group of customers pays less, or more, is the shop's.
    """
    selling_price: Any = func.coalesce(row.c.list_price, row.c.price)
    all_of_it, half = literal_column("10000", Whole), literal_column("5000", Whole)  # hundredths of a percent
    without_margin = (selling_price * (all_of_it - _terms.margin) + half) // all_of_it
    latest = select(func.max(_LATEST.c.id)).where(_LATEST.c.item_id == row.c.item_id).correlate(row).scalar_subquery()
    by_terms = (
        select(case((_terms.price.is_not(None), _terms.price), (_terms.margin.is_not(None), without_margin)))
        .where(_terms.id == latest)
        .correlate(row)
        .scalar_subquery()
    )
    return func.coalesce(row.c.cost, by_terms, selling_price)


def costs_of(tx: Transaction, order_ids: Collection[str]) -> dict[str, int]:
    """Returns what one piece of each line of these orders costs, in minor units, by the line's id."""
    line = order_line.c
    rows = tx.all(select(line.id, line.cost).where(line.order_id.in_(sorted(order_ids))))
    return {row["id"]: row["cost"] for row in rows}


def take_lines_out(tx: Transaction, order_id: str) -> Mapping[str, int]:
    """Deletes the lines of an order, and returns what one piece of each has cost, by the line's id."""
    line = order_line.c
    rows = tx.all(delete(order_line).where(line.order_id == order_id).returning(line.id, line.cost))
    return {row["id"]: row["cost"] for row in rows}
