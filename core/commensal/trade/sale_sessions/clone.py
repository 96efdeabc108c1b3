"""Makes a sale after the model of another one: same suppliers, shops and items, all times moved along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import exists, insert, select

from ...base.errors import Invalid, Problem
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction, insert_rows
from ..catalogs.granted import grants_all
from ..catalogs.tables import catalog_item
from ..enterprises.plugins import plugins_of_each
from ..enterprises.tables import enterprise
from .coordinations import FURTHEST
from .on_sale import may_be_sold, put
from .questions import coordination_by_id
from .rhythm import shifted
from .sessions import COORDINATES
from .suppliers import write_suppliers
from .tables import coordination, sale_session, session_item
from .values import Coordination, SaleSession

# A change of clocks can fold a stretch within its hour into nothing, or turn it round; this much is left of it.
SHORTEST = timedelta(minutes=1)
Move = Callable[[datetime], datetime]
Copied = tuple[SaleSession, SaleSession, str]  # the source, its copy, and the time zone of the shop


def clone_coordination(
    tx: Transaction, hooks: Hooks, coordination_id: str, enterprise_id: str, opens_at: datetime
) -> Coordination:
    """A sale like this one of the coordinator `enterprise_id`, opening at `opens_at` (aware); it happens once.

    Raises `NotFound`, `Invalid` where it would open too far ahead, or be over before anyone could order, and
    `PluginError` where a shop's plugin cannot copy what it keeps for the sale.
    """
    model = coordination_by_id(tx, coordination_id, enterprise_id)
    if abs(opens_at - tx.now) > FURTHEST:
        raise Invalid([Problem("too_far", "A sale opens within two years.", "/opens_at")])
    made = copy(tx, hooks, model, opens_at)
    if made.closes_at <= tx.now:
        raise Invalid([Problem("over", "This sale would be over before anyone could order.", "/opens_at")])
    return made


def copy(
    tx: Transaction,
    hooks: Hooks,
    model: Coordination,
    opens_at: datetime,
    *,
    rhythm: str | None = None,
    previous_id: str | None = None,
) -> Coordination:
    """Writes the copy: as many statements for four thousand items as for one. The plugins of each shop add theirs.

    All times keep their distance to the opening on the clocks of the coordinator's time zone; a sale that was closed
    early is copied as it was planned. What a new sale would
    refuse stays behind: shops that no longer let the coordinator act for them, items whose producer no longer grants
    their sale or that were archived.
    """
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == model.coordinator_id))
    move = partial(shifted, timezone=timezone, start=model.opens_at, new_start=opens_at)
    new = replace(
        model,
        id=tx.new_id(),
        opens_at=opens_at,
        closes_at=max(move(model.plan_closes_at), opens_at + SHORTEST),
        planned_closes_at=None,
        rhythm=rhythm,
        previous_id=previous_id,
        cancelled_at=None,
        completed_at=None,
        created_at=tx.now,
        version=1,
        suppliers=tuple(replace(one, closes_at=one.closes_at and move(one.closes_at)) for one in model.suppliers),
    )
    tx.execute(insert(coordination).values({column.name: getattr(new, column.name) for column in coordination.c}))
    write_suppliers(tx, new)
    copied = _copy_sessions(tx, model, new, move)
    _copy_items(tx, model, new)
    _tell_plugins(tx, hooks, copied)
    return coordination_by_id(tx, new.id, new.coordinator_id)


def _copy_sessions(tx: Transaction, model: Coordination, new: Coordination, move: Move) -> Sequence[Copied]:
    agreeing = (
        select(sale_session, enterprise.c.timezone)
        .join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)
        .where(sale_session.c.coordination_id == model.id, enterprise.c.archived_at.is_(None))
        .where(grants_all(sale_session.c.enterprise_id, model.coordinator_id, COORDINATES))
        .order_by(sale_session.c.id)
    )
    rows, copied = [], []
    for found in tx.all(agreeing):
        row = {column.name: found[column.name] for column in sale_session.c}
        planned = row["planned_closes_at"] or row["closes_at"]
        opens_at, closes_at = max(move(row["opens_at"]), new.opens_at), min(move(planned), new.closes_at)
        if closes_at <= opens_at:
            opens_at, closes_at = new.opens_at, new.closes_at
        begins_at = move(row["begins_at"])
        ends_at = max(move(row["ends_at"]), begins_at + SHORTEST)
        times = {"opens_at": opens_at, "closes_at": closes_at, "begins_at": begins_at, "ends_at": ends_at}
        rows.append(
            {**row, **times, "planned_closes_at": None, "id": tx.new_id(), "coordination_id": new.id, "version": 1}
        )
        copied.append((_session(model, row), _session(new, rows[-1]), found["timezone"]))
    insert_rows(tx, sale_session, rows)
    return copied


def _session(sale: Coordination, row: Mapping[str, Any]) -> SaleSession:
    whole = {name: getattr(sale, name) for name in ("coordinator_id", "name", "cancelled_at", "completed_at")}
    return SaleSession(**row, **whole)


def _tell_plugins(tx: Transaction, hooks: Hooks, copied: Sequence[Copied]) -> None:
    """Each shop's own plugins, once its copy has all that it sells."""
    plugins = plugins_of_each(tx, [made.enterprise_id for _, made, _ in copied])
    for source, made, timezone in copied:
        hooks.each(
            specifications.sale_copied, plugins[made.enterprise_id],
            tx=tx, source=source, copy=made, timezone=timezone,
        )  # fmt: skip


def _copy_items(tx: Transaction, model: Coordination, new: Coordination) -> None:
    before = sale_session.alias("before")
    sold_before = (
        exists()
        .where(
            before.c.coordination_id == model.id,
            before.c.enterprise_id == sale_session.c.enterprise_id,
            session_item.c.session_id == before.c.id,
            session_item.c.item_id == catalog_item.c.id,
        )
        .correlate(sale_session, catalog_item)
    )
    put(tx, may_be_sold(sale_session.c.coordination_id == new.id).where(sold_before))
