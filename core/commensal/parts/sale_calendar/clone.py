"""Copies a sale to another date: the same suppliers, shops and items, with all times moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import exists, func, insert, select, update

from ...base.errors import Invalid, PluginError, Problem, Refused
from ...catalogs.catalogs import grants_all
from ...catalogs.tables import catalog_item
from ...enterprises.plugins import plugins_of_each
from ...enterprises.tables import enterprise
from ...events.announce import announce
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...sale_sessions.coordinations import FURTHEST, write_suppliers
from ...sale_sessions.on_sale import insert_items, sellable_items
from ...sale_sessions.questions import coordination_by_id, read_coordinations
from ...sale_sessions.rhythm import next_opening, shifted
from ...sale_sessions.sessions import COORDINATES
from ...sale_sessions.tables import coordination, sale_session, session_item
from ...sale_sessions.values import Coordination, SaleSession
from ...storage.database import Row, Time, Transaction, insert_rows

# The least duration of a copy: a change of clocks can reduce a short one to zero or less.
SHORTEST = timedelta(minutes=1)
MoveTime = Callable[[datetime], datetime]
CopiedSession = tuple[SaleSession, SaleSession, str]  # the source, its copy, and the time zone of the shop


@dataclass(frozen=True)
class _Times:
    """How openings, closings and hand-outs move."""

    opening: MoveTime
    closing: MoveTime
    hand_out: MoveTime


def clone_coordination(
    tx: Transaction,
    hooks: Hooks,
    coordination_id: str,
    enterprise_id: str,
    opens_at: datetime,
    *,
    closes_at: datetime | None = None,
    begins_at: datetime | None = None,
) -> Coordination:
    """Copies a sale of the coordinator `enterprise_id`, without its rhythm; the copy opens at `opens_at` (aware).

    Its closing, and the beginning of the coordinator's own hand-out, are `closes_at` and `begins_at` (None: as far from
    the opening as in the model). The cut-offs of suppliers move along with the closing, slots and the hand-outs of
    other shops with that hand-out. Raises `NotFound`; `Invalid` if the copy would open too far ahead, be over before
    anyone could order, or in another order than a sale is; `PluginError` if a shop's plugin cannot copy its data.
    """
    model = coordination_by_id(tx, coordination_id, enterprise_id)
    if abs(opens_at - tx.now) > FURTHEST:
        raise Invalid([Problem("too_far", "A sale opens within two years.", "/opens_at")])
    if closes_at is not None and closes_at <= opens_at:
        raise Invalid([Problem("closes_before_opening", "The sale would close before it opens.", "/closes_at")])
    copied = copy_coordination(tx, hooks, model, opens_at, closes_at=closes_at, begins_at=begins_at)
    if begins_at is not None and begins_at < copied.opens_at:
        raise Invalid([Problem("begins_before_opening", "The hand-out would begin before it opens.", "/begins_at")])
    if copied.closes_at <= tx.now:
        raise Invalid([Problem("over", "This sale would be over before anyone could order.", "/opens_at")])
    return copied


def copy_coordination(
    tx: Transaction,
    hooks: Hooks,
    model: Coordination,
    opens_at: datetime,
    *,
    rhythm: str | None = None,
    previous_id: str | None = None,
    closes_at: datetime | None = None,
    begins_at: datetime | None = None,
) -> Coordination:
    """Writes the copy, with a number of statements that does not depend on the items. Each shop's plugins add theirs.

    All times keep their distance to the opening in the wall-clock time of the coordinator; a sale that was closed early
    or handed out on another day is copied as it was planned. `closes_at` and `begins_at` are as for
    `clone_coordination`. The copy leaves out what a new sale would refuse: shops that no longer let the coordinator act
    for them, and items that are archived or whose producer no longer grants their sale.
    """
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == model.coordinator_id))
    move = partial(shifted, timezone=timezone, start=model.plan_opens_at, new_start=opens_at)
    closing = closes_at and partial(shifted, timezone=timezone, start=model.plan_closes_at, new_start=closes_at)
    hand_out = begins_at and _move_hand_out(tx, model, timezone, begins_at)
    times = _Times(move, closing or move, hand_out or move)
    new = replace(
        model,
        id=tx.new_id(),
        opens_at=opens_at,
        closes_at=max(times.closing(model.plan_closes_at), opens_at + SHORTEST),
        planned_opens_at=None,
        planned_closes_at=None,
        rhythm=rhythm,
        previous_id=previous_id,
        cancelled_at=None,
        completed_at=None,
        created_at=tx.now,
        version=1,
        suppliers=tuple(
            replace(supplier, closes_at=supplier.closes_at and times.closing(supplier.closes_at))
            for supplier in model.suppliers
        ),
    )
    tx.execute(insert(coordination).values({column.name: getattr(new, column.name) for column in coordination.c}))
    write_suppliers(tx, new)
    copied = _copy_sessions(tx, model, new, times)
    _copy_items(tx, model, new)
    _tell_plugins(tx, hooks, copied)
    return coordination_by_id(tx, new.id, new.coordinator_id)


def _move_hand_out(tx: Transaction, model: Coordination, timezone: str, begins_at: datetime) -> MoveTime | None:
    """Moves the coordinator's own hand-out to `begins_at`, and all others by as much; None if it has none itself."""
    own = sale_session.c.enterprise_id == model.coordinator_id
    planned = func.coalesce(sale_session.c.planned_begins_at, sale_session.c.begins_at, type_=Time)
    before = tx.value(select(planned).where(sale_session.c.coordination_id == model.id, own))
    return None if before is None else partial(shifted, timezone=timezone, start=before, new_start=begins_at)


def _copy_sessions(tx: Transaction, model: Coordination, new: Coordination, times: _Times) -> Sequence[CopiedSession]:
    statement = (
        select(sale_session, enterprise.c.timezone)
        .join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)
        .where(sale_session.c.coordination_id == model.id, enterprise.c.archived_at.is_(None))
        .where(grants_all(sale_session.c.enterprise_id, model.coordinator_id, COORDINATES))
        .order_by(sale_session.c.id)
    )
    new_rows, copied = [], []
    for source in tx.all(statement):
        old_row = {column.name: source[column.name] for column in sale_session.c}
        planned = old_row["planned_closes_at"] or old_row["closes_at"]
        own_opening = old_row["opens_at"] != model.opens_at
        opens_at = max(times.opening(old_row["opens_at"]), new.opens_at) if own_opening else new.opens_at
        closes_at = min(times.closing(planned), new.closes_at)
        if closes_at <= opens_at:
            opens_at, closes_at = new.opens_at, new.closes_at
        old = _session(model, old_row)
        begins_at, ends_at = (times.hand_out(moment) for moment in old.plan)
        ends_at = max(ends_at, begins_at + SHORTEST)
        moments = {"opens_at": opens_at, "closes_at": closes_at, "begins_at": begins_at, "ends_at": ends_at}
        new_rows.append(
            {
                **old_row,
                **moments,
                "books_closed_at": None,
                "planned_closes_at": None,
                "planned_begins_at": None,
                "planned_ends_at": None,
                "id": tx.new_id(),
                "coordination_id": new.id,
                "version": 1,
            }
        )
        copied.append((old, _session(new, new_rows[-1]), source["timezone"]))
    insert_rows(tx, sale_session, new_rows)
    announce(tx, specifications.sale_planned, sale_session, sale_session.c.coordination_id == new.id)
    return copied


def _session(sale: Coordination, row: Row) -> SaleSession:
    sale_values = {name: getattr(sale, name) for name in ("coordinator_id", "name", "cancelled_at", "completed_at")}
    return SaleSession(**row, **sale_values)


def _tell_plugins(tx: Transaction, hooks: Hooks, copied: Sequence[CopiedSession]) -> None:
    """Tells each shop's plugins about the copy, after its items are on sale."""
    plugins = plugins_of_each(tx, [session_copy.enterprise_id for _, session_copy, _ in copied])
    for source, session_copy, timezone in copied:
        hooks.each(
            specifications.sale_copied,
            plugins[session_copy.enterprise_id],
            tx=tx,
            source=source,
            copy=session_copy,
            timezone=timezone,
        )


def _copy_items(tx: Transaction, model: Coordination, new: Coordination) -> None:
    old_session = sale_session.alias("before")
    sold_before = (
        exists()
        .where(
            old_session.c.coordination_id == model.id,
            old_session.c.enterprise_id == sale_session.c.enterprise_id,
            session_item.c.session_id == old_session.c.id,
            session_item.c.item_id == catalog_item.c.id,
        )
        .correlate(sale_session, catalog_item)
    )
    insert_items(tx, sellable_items(sale_session.c.coordination_id == new.id).where(sold_before))


# Repeats sales by their rhythm.

AT_ONCE = 50  # sales in one transaction; the others wait for the next call
_log = structlog.get_logger("commensal.sale_sessions")


def repeat_due(tx: Transaction, hooks: Hooks) -> list[str]:
    """Creates the next sale of every series whose latest sale has closed. Returns the ids of the new sales.

    Exactly one follows: the rhythm moves to it in the same transaction, and `previous_id` is unique. A date is skipped
    if the previous sale was still open by its plan, or if more than half of the new sale's time has passed already. If
    a plugin of a shop fails, its series waits for the next call, and the other series go on.
    """
    statement = (
        select(coordination)
        .join(enterprise, enterprise.c.id == coordination.c.coordinator_id)
        .where(
            coordination.c.rhythm.is_not(None), coordination.c.closes_at <= tx.now, enterprise.c.archived_at.is_(None)
        )
        .order_by(coordination.c.closes_at)
        .limit(AT_ONCE)
    )
    return [repeated.id for sale in read_coordinations(tx, statement) if (repeated := _try_to_repeat(tx, hooks, sale))]


def _try_to_repeat(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    try:
        with tx.attempt():
            return _repeat(tx, hooks, sale)
    except (PluginError, Refused) as error:
        _log.error("a sale could not be repeated", coordination=sale.id, exc_info=error)
        return None


def _repeat(tx: Transaction, hooks: Hooks, sale: Coordination) -> Coordination | None:
    take_rhythm = update(coordination).where(coordination.c.id == sale.id, coordination.c.version == sale.version)
    if sale.rhythm is None or tx.execute(take_rhythm.values(rhythm=None, version=sale.version + 1)).rowcount != 1:
        return None  # another transaction has repeated it
    closes_at = sale.plan_closes_at
    half_time = (closes_at - sale.plan_opens_at) / 2
    timezone = tx.value(select(enterprise.c.timezone).where(enterprise.c.id == sale.coordinator_id))
    next_sale = next_opening(sale.rhythm, sale.plan_opens_at, timezone, not_before=max(closes_at, tx.now - half_time))
    if next_sale is None:
        return None
    opens_at, rhythm = next_sale
    return copy_coordination(tx, hooks, sale, opens_at, rhythm=rhythm, previous_id=sale.id)
