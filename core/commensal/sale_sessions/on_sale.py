"""The items that a session sells. They are stored, so that a grant revoked later does not empty a running sale."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, Select, and_, delete, exists, insert, select

from ..base.errors import Conflict, Invalid, Problem
from ..catalogs.catalogs import SELLING, grants_all
from ..catalogs.tables import catalog_item
from ..enterprises.tables import enterprise
from ..products.tables import supplied_product
from ..storage.database import Transaction
from .openness import is_settled
from .questions import session_by_id
from .tables import coordination_supplier, sale_session, session_item

MOST_AT_ONCE = 1000  # items named one by one


def put_on_sale(tx: Transaction, session_id: str, coordinator_id: str, item_ids: Sequence[str] | None = None) -> int:
    """Puts items of the session's catalog on sale, also while it is open. Returns how many are new.

    `item_ids` None means all that may be sold. An item may be sold if its producer supplies this sale, and either is
    the shop itself or grants it `SELLING`. Raises `NotFound`, `Conflict` once the sale is settled, and `Invalid` with
    one problem for each item that may not be sold; then no item is put on sale.
    """
    session = session_by_id(tx, session_id, coordinator_id)
    if is_settled(session):
        raise Conflict("settled", "The sale {name} is over or was cancelled.", name=session.name)
    pairs = sellable_items(sale_session.c.id == session_id)
    if item_ids is not None:
        _refuse_unsellable(tx, session_id, item_ids)
        pairs = pairs.where(catalog_item.c.id.in_(item_ids))
    return insert_items(tx, pairs)


def take_off_sale(tx: Transaction, session_id: str, coordinator_id: str, item_ids: Sequence[str]) -> int:
    """Takes items off sale. Returns how many were on sale. Existing orders keep them. Raises `NotFound`."""
    session_by_id(tx, session_id, coordinator_id)
    condition = and_(session_item.c.session_id == session_id, session_item.c.item_id.in_(item_ids))
    return tx.execute(delete(session_item).where(condition)).rowcount


def sellable_items(sessions: ColumnElement[bool]) -> Select[tuple[str, str]]:
    """Returns a query for (session_id, item_id) of every item in the sessions' catalogs that may be sold now."""
    return select(sale_session.c.id, catalog_item.c.id).select_from(_sellable()).where(sessions, _sale_granted())


def insert_items(tx: Transaction, pairs: Select[tuple[str, str]]) -> int:
    """Stores (session_id, item_id) pairs that are not stored yet, with one statement. Returns how many are new."""
    session_id, item_id = pairs.selected_columns
    exists_already = exists().where(session_item.c.session_id == session_id, session_item.c.item_id == item_id)
    insertion = insert(session_item).from_select(["session_id", "item_id"], pairs.where(~exists_already))
    return tx.execute(insertion.execution_options(preserve_rowcount=True)).rowcount


def _sellable() -> FromClause:
    """Returns a join of sessions with the items of their catalogs that active suppliers of the sale still offer."""
    supplier = and_(
        coordination_supplier.c.coordination_id == sale_session.c.coordination_id,
        coordination_supplier.c.enterprise_id == supplied_product.c.enterprise_id,
    )
    product = and_(supplied_product.c.id == catalog_item.c.product_id, supplied_product.c.archived_at.is_(None))
    producer = and_(enterprise.c.id == supplied_product.c.enterprise_id, enterprise.c.archived_at.is_(None))
    items = sale_session.join(catalog_item, catalog_item.c.catalog_id == sale_session.c.catalog_id)
    return items.join(supplied_product, product).join(coordination_supplier, supplier).join(enterprise, producer)


def _sale_granted() -> ColumnElement[bool]:
    """Returns the condition that the producer is the shop, or grants it `SELLING`."""
    return grants_all(supplied_product.c.enterprise_id, sale_session.c.enterprise_id, *SELLING)


def _refuse_unsellable(tx: Transaction, session_id: str, item_ids: Sequence[str]) -> None:
    """Raises `Invalid` naming each item that may not be sold, and why."""
    if len(item_ids) > MOST_AT_ONCE:
        raise Invalid([Problem("too_many", "Name at most {most} items at once.", "/items", {"most": MOST_AT_ONCE})])
    rows = tx.all(
        select(catalog_item.c.id, _sale_granted().label("granted"))
        .select_from(_sellable())
        .where(sale_session.c.id == session_id, catalog_item.c.id.in_(item_ids))
    )
    granted = {row["id"]: row["granted"] for row in rows}
    problems = []
    for place, item_id in enumerate(item_ids):
        if item_id not in granted:
            text = "This item is not in the shop's catalog, or its producer does not supply this sale."
            problems.append(Problem("not_supplied", text, f"/items/{place}"))
        elif not granted[item_id]:
            text = "The producer of this item does not let this shop sell it."
            problems.append(Problem("not_granted", text, f"/items/{place}"))
    if problems:
        raise Invalid(problems)
