"""Notices about orders by channels of plugins, beside the e-mails: short, with consent, limited, without secrets."""

from __future__ import annotations

from ...hooks import specifications
from ...hooks.values import Notice
from ...instance import Instance
from ...storage.database import Transaction
from ...storage.jobs import Job, NewJob
from ...storage.jobs.enqueue import enqueue_once
from ...trade.enterprises.plugins import enabled_plugins
from ...trade.orders.consents import stands
from ...trade.orders.questions import order_by_id, orders_by_id
from ...trade.people.fingerprint import fingerprint

NOTICE = "notice"  # the kind of job; its handler is `send_notice`
CONSENT = "notices"  # the id of a plugin's `ConsentRequest`
_BY_CUSTOMERS = ("order_placed", "order_changed", "order_cancelled")  # kinds that customers cause as often as they like


def promise_notices(tx: Transaction, order_id: str, kind: str, text: str) -> None:
    """Enqueues a notice for each channel to which the order's customer has agreed, unless there was one this hour."""
    listeners = tx.listeners.get(specifications.send_notice.name, ())
    if not listeners:
        return
    order = orders_by_id(tx, [order_id])[order_id]
    if order.person_id is None:  # anybody may type the telephone number of somebody else
        return
    subject = f"{order.enterprise_id} {order.person_id}" if kind in _BY_CUSTOMERS else order_id
    for plugin in listeners:
        if stands(tx, order_id, f"{plugin}:{CONSENT}"):
            key = fingerprint(f"{plugin} {subject} {kind} {tx.now:%Y-%m-%d %H}")
            about = {"order_id": order_id, "enterprise_id": order.enterprise_id, "kind": kind, "text": text}
            enqueue_once(tx, f"notice-{key}", NewJob(NOTICE, {"plugin": plugin, **about}))


def send_notice(instance: Instance, job: Job) -> None:
    """Hands a notice to its plugin, unless that was switched off, or the consent was withdrawn meanwhile.

    Raises `PluginError` if it fails: the job is tried again.
    """
    plugin, order_id = job.payload["plugin"], job.payload["order_id"]
    with instance.store.read() as tx:
        order = order_by_id(tx, order_id, enterprise_id=job.payload["enterprise_id"])
        enabled = enabled_plugins(tx, order.enterprise_id)
        agreed = stands(tx, order_id, f"{plugin}:{CONSENT}")
    hook = specifications.send_notice
    if not agreed or plugin not in enabled or not instance.hooks.implementing(hook, {plugin}):
        return
    link = f"{instance.settings.base_url.rstrip('/')}/orders/{order_id}"
    notice = Notice(id=job.id, kind=job.payload["kind"], text=job.payload["text"], link=link)
    instance.hooks.tell(hook, plugin, enabled, instance=instance, order=order, notice=notice)
