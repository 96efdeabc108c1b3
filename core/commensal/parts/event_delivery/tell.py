"""Handles jobs of kind "event": tells one plugin about an event.

The plugin gets the subject and the enterprise's settings as they are now; only the event is as it was. Delivery is at
least once: after a crash the plugin may be told again, with the same event id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, select

from ...base.errors import NotFound
from ...base.failpoints import failpoint
from ...enterprises.customers import customer_by_id
from ...enterprises.plugins import enabled_plugins
from ...enterprises.tables import enterprise
from ...events.announce import EVENT, announce
from ...hooks import specifications
from ...hooks.contract import AnyHook
from ...hooks.values import Event
from ...instance import Instance
from ...orders.questions import order_by_id
from ...payments.payments import payment_by_id
from ...products.questions import product_by_id
from ...sale_sessions.questions import sale_by_id
from ...sale_sessions.tables import coordination, sale_session
from ...stock.levels import forget_notices, lock_lots
from ...stock.lots import StockLot, is_low, lot_by_id, lot_of
from ...stock.tables import low_stock_notice, stock_lot
from ...storage.database import Time, Transaction, insert_rows
from ...storage.jobs import Job
from .tables import sale_opening

__all__ = ["EVENT", "HOOKS", "tell_plugin"]

Load = Callable[[Transaction, str, Any], Any]  # of the enterprise, by id; raises `NotFound`


def _order(tx: Transaction, enterprise_id: str, order_id: str) -> object:
    return order_by_id(tx, order_id, enterprise_id=enterprise_id)


def _sale(tx: Transaction, enterprise_id: str, session_id: str) -> object:
    return sale_by_id(tx, session_id).session


# For every event: the hook's parameter for the subject, and the function that loads the subject.
_SUBJECTS: Mapping[AnyHook, tuple[str, Load]] = {
    specifications.order_placed: ("order", _order),
    specifications.order_changed: ("order", _order),
    specifications.order_cancelled: ("order", _order),
    specifications.order_fulfilled: ("order", _order),
    specifications.order_paid: ("order", _order),
    specifications.customer_created: ("customer", customer_by_id),
    specifications.payment_received: ("payment", payment_by_id),
    specifications.payment_refunded: ("payment", payment_by_id),
    specifications.payment_failed: ("payment", payment_by_id),
    specifications.sale_planned: ("sale", _sale),
    specifications.sale_cancelled: ("sale", _sale),
    specifications.sale_opened: ("sale", _sale),
    specifications.sale_completed: ("sale", _sale),
    specifications.stock_changed: ("lot", lot_by_id),
    specifications.stock_low: ("lot", lot_by_id),
    specifications.sold_out: ("lot", lot_by_id),
    specifications.product_changed: ("product", product_by_id),
    specifications.listing_changed: ("item_ids", lambda tx, enterprise_id, item_ids: tuple(item_ids)),
}
HOOKS: Mapping[str, AnyHook] = {hook.name: hook for hook in _SUBJECTS}


def tell_plugin(instance: Instance, job: Job) -> None:
    """Tells the job's plugin about its event. Raises `PluginError` if it fails: the job is retried, in the end parked.

    A plugin that the enterprise or the operator has switched off meanwhile is not told, and no plugin is told about a
    subject that no longer exists.
    """
    plugin, event = job.payload["plugin"], _event(job.payload["event"])
    hook = HOOKS[event.kind]
    name, load = _SUBJECTS[hook]
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, event.enterprise_id)
        if plugin not in enabled or not instance.hooks.implementing(hook, {plugin}):
            return
        try:
            subject = load(tx, event.enterprise_id, job.payload["subject_id"])
        except NotFound:
            return
    instance.hooks.tell(hook, plugin, enabled, instance=instance, event=event, **{name: subject})
    failpoint("event.told")


def _event(values: Mapping[str, str]) -> Event:
    texts = {name: value for name, value in values.items() if name != "at"}
    return Event(at=datetime.fromisoformat(values["at"]), **texts)


# Finds sales that have opened and were not announced yet, and announces each once.
#
# The query reads sessions that are open or closed recently, by the index of their closing, so its cost does not grow
# over the years. It also finds a session that was created or moved after its opening had passed.

LATEST = timedelta(days=7)  # after the closing: covers sales that opened and closed while no worker was running
AT_ONCE = 500  # sales in one transaction; the others wait for the next call
_OPENED = (
    select(sale_session.c.id)
    .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    .where(
        sale_session.c.closes_at > bindparam("since", type_=Time),
        sale_session.c.opens_at <= bindparam("now", type_=Time),
        coordination.c.cancelled_at.is_(None),
        ~exists().where(sale_opening.c.session_id == sale_session.c.id),
    )
    .order_by(sale_session.c.opens_at, sale_session.c.id)
    .limit(AT_ONCE)
)  # made once, since each minute needs it, and the next ones too


def announce_openings(tx: Transaction) -> list[str]:
    """Announces sessions that have opened and are not cancelled. Returns their ids."""
    ids = [row["id"] for row in tx.all(_OPENED, {"now": tx.now, "since": tx.now - LATEST})]
    insert_rows(tx, sale_opening, [{"session_id": session_id, "announced_at": tx.now} for session_id in ids])
    if ids:
        announce(tx, specifications.sale_opened, sale_session, sale_session.c.id.in_(ids))
    return ids


def forget_openings(tx: Transaction) -> None:
    """Deletes the records of openings that `announce_openings` does not read any more."""
    still_needed = exists().where(
        and_(sale_session.c.id == sale_opening.c.session_id, sale_session.c.closes_at > tx.now - LATEST)
    )
    tx.execute(delete(sale_opening).where(~still_needed))


# Announces lots that orders have taken the last of, and lots that have run low: each once until it is refilled.
#
# Orders pay nothing for lots that run low: one query a minute reads those that have a low level. An enterprise is
# told at most once an hour, about all its lots since the last time, so that the rush after an opening is one e-mail,
# not sixty.

GATHERED = timedelta(hours=1)  # between two announcements to one enterprise
SETTLED = timedelta(days=1)  # goods that orders give back count as a refill only after that time
_lot, _notice = stock_lot.c, low_stock_notice.c
_other = stock_lot.alias()
_TOLD_JUST_NOW = (
    exists()
    .select_from(low_stock_notice.join(_other, _other.c.id == _notice.lot_id))
    .where(_other.c.enterprise_id == _lot.enterprise_id, _notice.told_at > bindparam("lately", type_=Time))
)
_UNTOLD = (
    select(_lot.id)
    .join(enterprise, enterprise.c.id == _lot.enterprise_id)
    .where(is_low(), ~exists().where(_notice.lot_id == _lot.id), ~_TOLD_JUST_NOW, enterprise.c.archived_at.is_(None))
    .where(_lot.free_until.is_(None) | (_lot.free_until > bindparam("now", type_=Time)))
    .order_by(_lot.enterprise_id, _lot.id)
    .limit(AT_ONCE)
)
_REFILLED = (
    select(_lot.id)
    .join(low_stock_notice, _notice.lot_id == _lot.id)
    .where(_notice.told_at <= bindparam("before", type_=Time), _lot.low_level.is_(None) | (_lot.free > _lot.low_level))
    .limit(AT_ONCE)
)


def announce_low_stock(tx: Transaction) -> list[StockLot]:
    """Announces lots that are low and whose owners have not been told. Returns them, sorted by enterprise and name.

    Leaves out lots that may not be sold here any more, since their enterprise moves, and those of archived enterprises.
    """
    _forget_refilled(tx)
    untold = [row["id"] for row in tx.all(_UNTOLD, {"now": tx.now, "lately": tx.now - GATHERED})]
    low = {lot.id: lot for lot in map(lot_of, lock_lots(tx, untold)) if lot.is_low} if untold else {}
    if low:
        insert_rows(tx, low_stock_notice, [{"lot_id": lot_id, "told_at": tx.now} for lot_id in sorted(low)])
        announce(tx, specifications.stock_low, stock_lot, _lot.id.in_(sorted(low)))
    return sorted(low.values(), key=lambda lot: (lot.enterprise_id, lot.name, lot.id))


def _forget_refilled(tx: Transaction) -> None:
    """Forgets notices that are a day old and whose lots have more than their low level again, or have none any more."""
    forget_notices(tx, [row["id"] for row in tx.all(_REFILLED, {"before": tx.now - SETTLED})])


def announce_sold_out(instance: Instance, job: Job) -> None:
    """Does the job "sold_out": tells the plugins of each lot's enterprise that orders have taken the last of it. A lot
    that has some again by now is left out."""
    lot = stock_lot.c
    is_empty = (lot.id.in_(job.payload["lots"])) & (lot.free == 0)
    instance.store.transact(lambda tx: announce(tx, specifications.sold_out, stock_lot, is_empty))
