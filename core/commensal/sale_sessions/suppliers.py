"""The suppliers of a sale and their cut-offs."""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select

from ..base.errors import Invalid, NotFound, Problem
from ..catalogs.tables import catalog_item
from ..enterprises.tables import enterprise
from ..products.tables import supplied_product
from ..storage.database import Transaction, insert_rows
from .locking import edit_coordination, lock_unsettled
from .questions import coordination_by_id
from .tables import coordination_supplier, sale_session, session_item
from .values import Coordination, Supplier

MOST_SUPPLIERS = 500


def set_supplier(
    tx: Transaction, coordination_id: str, coordinator_id: str, version: int, supplier: Supplier
) -> Coordination:
    """Adds a supplier, or changes its cut-off. Its items are then put on sale session by session.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` once the sale was cancelled or completed.
    """
    old = lock_unsettled(tx, coordination_id, coordinator_id)
    others = tuple(other for other in old.suppliers if other.enterprise_id != supplier.enterprise_id)
    problems = supplier_problems(tx, old, (supplier, *others))
    if problems:
        raise Invalid(problems)
    edit_coordination(tx, old, version)
    _delete_supplier(tx, coordination_id, supplier.enterprise_id)
    row = {"coordination_id": coordination_id, "enterprise_id": supplier.enterprise_id, "closes_at": supplier.closes_at}
    tx.execute(insert(coordination_supplier).values(row))
    return coordination_by_id(tx, coordination_id, coordinator_id)


def remove_supplier(
    tx: Transaction, coordination_id: str, coordinator_id: str, version: int, supplier_id: str
) -> Coordination:
    """Removes a supplier and all its items from the sale. Existing orders keep them.

    Raises `NotFound`, `Stale`, and `Conflict` once the sale was cancelled or completed.
    """
    old = lock_unsettled(tx, coordination_id, coordinator_id)
    if supplier_id not in (supplier.enterprise_id for supplier in old.suppliers):
        raise NotFound
    edit_coordination(tx, old, version)
    sessions = select(sale_session.c.id).where(sale_session.c.coordination_id == coordination_id)
    items = (
        select(catalog_item.c.id)
        .join(supplied_product, supplied_product.c.id == catalog_item.c.product_id)
        .where(supplied_product.c.enterprise_id == supplier_id)
    )
    tx.execute(delete(session_item).where(session_item.c.session_id.in_(sessions), session_item.c.item_id.in_(items)))
    _delete_supplier(tx, coordination_id, supplier_id)
    return coordination_by_id(tx, coordination_id, coordinator_id)


def supplier_problems(tx: Transaction, sale: Coordination, suppliers: tuple[Supplier, ...]) -> list[Problem]:
    """Returns the problems with these suppliers at this sale, with one statement."""
    if len(suppliers) > MOST_SUPPLIERS:
        return [Problem("too_many", "A sale has at most {most} suppliers.", "/suppliers", {"most": MOST_SUPPLIERS})]
    ids = [supplier.enterprise_id for supplier in suppliers]
    condition = and_(enterprise.c.id.in_(ids), enterprise.c.archived_at.is_(None))
    existing_ids = {row["id"] for row in tx.all(select(enterprise.c.id).where(condition))} if ids else set()
    problems = []
    for place, supplier in enumerate(suppliers):
        where = f"/suppliers/{place}"
        if supplier.enterprise_id not in existing_ids:
            problems.append(Problem("no_supplier", "There is no such supplier.", f"{where}/enterprise_id"))
        if supplier.enterprise_id in ids[:place]:
            problems.append(Problem("twice", "Each supplier stands here once.", f"{where}/enterprise_id"))
        if supplier.closes_at and not sale.opens_at < supplier.closes_at <= sale.closes_at:
            text = "A supplier's cut-off lies after the opening of the sale, and not after its closing."
            problems.append(Problem("cut_off", text, f"{where}/closes_at"))
    return problems


def write_suppliers(tx: Transaction, sale: Coordination) -> None:
    """Inserts the suppliers of a new sale, which the caller has checked, with one statement."""
    rows = [
        {"coordination_id": sale.id, "enterprise_id": supplier.enterprise_id, "closes_at": supplier.closes_at}
        for supplier in sale.suppliers
    ]
    insert_rows(tx, coordination_supplier, rows)


def _delete_supplier(tx: Transaction, coordination_id: str, supplier_id: str) -> None:
    condition = coordination_supplier.c.enterprise_id == supplier_id
    tx.execute(
        delete(coordination_supplier).where(coordination_supplier.c.coordination_id == coordination_id, condition)
    )
