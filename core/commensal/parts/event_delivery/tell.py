"""Handles jobs of kind "event": tells one plugin about an event.

The plugin gets the subject and the enterprise's settings as they are now; only the event is as it was. Delivery is at
least once: after a crash the plugin may be told again, with the same event id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ...base.errors import NotFound
from ...base.failpoints import failpoint
from ...enterprises.customers import customer_by_id
from ...enterprises.plugins import enabled_plugins
from ...events.announce import EVENT
from ...hooks import specifications
from ...hooks.contract import AnyHook
from ...hooks.values import Event
from ...instance import Instance
from ...orders.questions import order_by_id
from ...payments.payments import payment_by_id
from ...products.questions import product_by_id
from ...sale_sessions.questions import sale_by_id
from ...stock.lots import lot_by_id
from ...storage.database import Transaction
from ...storage.jobs import Job

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
