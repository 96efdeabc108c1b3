"""Commands on coordinations: opening and changing a sale; `orders/cancel.py` cancels one.

A draft is a coordination that opens in the future; there is no separate state for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from sqlalchemy import and_, delete, insert, or_, select, update

from ..base.errors import Invalid, NotFound, Problem
from ..base.texts import read_text
from ..catalogs.tables import catalog_item
from ..enterprises.tables import enterprise
from ..products.tables import supplied_product
from ..storage.database import Transaction, insert_rows
from .openness import apply_closing, followed_times
from .questions import coordination_by_id
from .rhythm import rhythm_problems
from .sessions import edit_coordination, lock_unsettled
from .tables import coordination, coordination_supplier, sale_session, session_item
from .values import LONGEST_NAME, Coordination, Supplier

# The suppliers of a sale and their cut-offs.

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


LONGEST_SALE = timedelta(days=366)
FURTHEST = timedelta(days=2 * 366)  # how far ahead a sale may be planned


_PLANS = ("planned_opens_at", "planned_closes_at")


class CoordinationChanges(TypedDict, total=False):
    """The fields that may change; times are aware, the rhythm is an RFC 5545 rule or None."""

    name: str
    opens_at: datetime
    closes_at: datetime
    rhythm: str | None


def open_coordination(
    tx: Transaction,
    *,
    coordinator_id: str,
    name: str,
    opens_at: datetime,
    closes_at: datetime,
    rhythm: str | None = None,
    suppliers: Sequence[Supplier] = (),
) -> Coordination:
    """Plans a sale, or opens it at once if `opens_at` has come. Times are aware.

    Raises `Invalid` listing every mistake, `NotFound` for an unknown or archived coordinator.
    """
    tx.one(select(enterprise.c.id).where(enterprise.c.id == coordinator_id, enterprise.c.archived_at.is_(None)))
    problems: list[Problem] = []
    new = Coordination(
        id=tx.new_id(),
        coordinator_id=coordinator_id,
        name=read_text(name, "/name", problems, least=1, most=LONGEST_NAME),
        opens_at=opens_at,
        closes_at=closes_at,
        planned_closes_at=None,
        rhythm=rhythm or None,
        previous_id=None,
        cancelled_at=None,
        completed_at=None,
        created_at=tx.now,
        version=1,
        suppliers=tuple(suppliers),
    )
    problems += [*_problems(new, tx.now), *supplier_problems(tx, new, new.suppliers)]
    if closes_at <= tx.now:
        problems.append(Problem("over", "This sale would be over before anyone could order.", "/closes_at"))
    if problems:
        raise Invalid(problems)
    tx.execute(insert(coordination).values({column.name: getattr(new, column.name) for column in coordination.c}))
    write_suppliers(tx, new)
    return coordination_by_id(tx, new.id, coordinator_id)


def change_coordination(
    tx: Transaction,
    coordination_id: str,
    coordinator_id: str,
    version: int,
    *,
    once: bool = False,
    **changes: Unpack[CoordinationChanges],
) -> Coordination:
    """Changes a sale, also while it is open. A closing in the past closes it now and keeps the plan that its rhythm and
    clones follow; a closing in the future opens it again. It and an opening are a new plan, unless they hold `once`.

    Sessions with the same times as the sale follow it; others are shortened to fit.

    Raises `NotFound`, `Stale`, `Invalid`, and `Conflict` once it was cancelled or completed.
    """
    old = lock_unsettled(tx, coordination_id, coordinator_id)
    problems: list[Problem] = []
    new = replace(old, **changes)
    name = read_text(new.name, "/name", problems, least=1, most=LONGEST_NAME)
    new = replace(new, name=name, rhythm=new.rhythm or None)
    if new.opens_at != old.opens_at:
        plan = old.plan_opens_at
        new = replace(new, planned_opens_at=plan if once and plan != new.opens_at else None)
    new = apply_closing(old, new, tx.now, once=once)
    problems += _problems(new, tx.now)
    if any(supplier.closes_at and old.opens_at < supplier.closes_at <= new.opens_at for supplier in old.suppliers):
        problems.append(Problem("cut_off", "A supplier's cut-off would pass before the sale opens.", "/opens_at"))
    if not problems:
        problems = _vanishing_sessions(tx, old, new)
    if problems:
        raise Invalid(problems)
    values = {name: getattr(new, name) for name in (*CoordinationChanges.__annotations__, *_PLANS)}
    edit_coordination(tx, old, version, **values)
    if (new.opens_at, new.closes_at) != (old.opens_at, old.closes_at):
        _move_sessions(tx, old, new)
    return coordination_by_id(tx, coordination_id, coordinator_id)


def _problems(new: Coordination, now: datetime) -> list[Problem]:
    problems = [] if new.rhythm is None else rhythm_problems(new.rhythm)
    if new.closes_at <= new.opens_at:
        problems.append(Problem("closes_before_opening", "The sale must close after it opens.", "/closes_at"))
    elif new.closes_at - new.opens_at > LONGEST_SALE:
        problems.append(Problem("too_long_open", "A sale is open for a year at most.", "/closes_at"))
    if abs(new.opens_at - now) > FURTHEST:
        problems.append(Problem("too_far", "A sale opens within two years.", "/opens_at"))
    return problems


def _vanishing_sessions(tx: Transaction, old: Coordination, new: Coordination) -> list[Problem]:
    """Returns one problem for each session that would close before it opens."""
    opens, closes, _ = followed_times(old, new)
    statement = (
        select(enterprise.c.name)
        .join_from(sale_session, enterprise, enterprise.c.id == sale_session.c.enterprise_id)
        .where(sale_session.c.coordination_id == old.id, opens >= closes)
        .order_by(sale_session.c.id)
    )
    text = "The sale at {shop} would close before it opens; change or remove it first."
    return [Problem("session_vanishes", text, "/closes_at", {"shop": row["name"]}) for row in tx.all(statement)]


def _move_sessions(tx: Transaction, old: Coordination, new: Coordination) -> None:
    opens, closes, planned = followed_times(old, new)
    is_moved = or_(sale_session.c.opens_at != opens, sale_session.c.closes_at != closes)
    times = {"opens_at": opens, "closes_at": closes, "planned_closes_at": planned}
    values = {**times, "version": sale_session.c.version + 1}
    tx.execute(update(sale_session).where(sale_session.c.coordination_id == old.id, is_moved).values(values))
