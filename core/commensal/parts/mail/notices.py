"""Notices about orders by channels of plugins, beside the e-mails: short, with consent, limited, without secrets.

A telephone number reaches a channel only once its owner has typed a code that the same channel has sent there.
"""

from __future__ import annotations

from dataclasses import replace

from ...base.languages.catalogs import translate
from ...enterprises.enterprises import enterprise_by_id
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import Notice
from ...instance import Instance
from ...orders.consents import stands
from ...orders.questions import order_by_id, orders_by_id
from ...orders.values import Order
from ...people.codes import fingerprint
from ...storage.database import Transaction
from ...storage.jobs import Job, NewJob
from ...storage.jobs.enqueue import enqueue, enqueue_once
from ..accounts.phones import ask_for_proof, is_proven, mobile_number, new_phone_code

NOTICE = "notice"  # the kind of job; its handler is `send_notice`
CODE = "phone_code"  # the kind of the notice that proves a number
CONSENT = "notices"  # the id of a plugin's `ConsentRequest`
# Neither is in the alphabet of text messages (GSM 03.38): with one of them a message is sent as UCS-2, in twice as many
# parts, and each is paid.
_PLAIN_SPACES = str.maketrans("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", "  ")
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
            about = {"plugin": plugin, "order_id": order_id, "enterprise_id": order.enterprise_id}
            enqueue_once(tx, f"notice-{key}", NewJob(NOTICE, {**about, "kind": kind, "text": text}))
            _ask_for_proof(tx, order, plugin)


def _ask_for_proof(tx: Transaction, order: Order, plugin: str) -> None:
    """Enqueues a code to the telephone of the order, if it is a mobile one, not proven, and codes are not too many."""
    shop = enterprise_by_id(tx, order.enterprise_id)
    phone, person_id = mobile_number(order.phone, shop.country), order.person_id or ""
    if phone and not is_proven(tx, person_id, plugin, phone) and ask_for_proof(tx, person_id, plugin, phone, shop.id):
        about = {"plugin": plugin, "order_id": order.id, "enterprise_id": shop.id}
        enqueue(tx, NOTICE, {**about, "kind": CODE, "text": "", "phone": phone})


def send_notice(instance: Instance, job: Job) -> None:
    """Hands a notice to its plugin, unless that was switched off, or the consent was withdrawn meanwhile.

    Raises `PluginError` if it fails: the job is tried again.
    """
    plugin, order_id = job.payload["plugin"], job.payload["order_id"]
    with instance.store.read() as tx:
        order = order_by_id(tx, order_id, enterprise_id=job.payload["enterprise_id"])
        enabled = enabled_plugins(tx, order.enterprise_id)
        agreed = stands(tx, order_id, f"{plugin}:{CONSENT}")
        shop = enterprise_by_id(tx, order.enterprise_id)
        phone = mobile_number(order.phone, shop.country)
        reaches = bool(phone) and is_proven(tx, order.person_id or "", plugin, phone)
    hook = specifications.send_notice
    if not agreed or plugin not in enabled or not instance.hooks.implementing(hook, {plugin}):
        return
    text = job.payload["text"]
    if job.payload["kind"] == CODE:
        phone, reaches = job.payload["phone"], True
        code = instance.store.transact(lambda tx: new_phone_code(tx, order.person_id or "", plugin, phone))
        if code is None:
            return
        says = translate(order.language, "{shop}: {code} is the code for your telephone. Not yours? Ignore it.")
        text = says.format(shop=shop.name, code=code)
    link = f"{instance.settings.base_url.rstrip('/')}/orders/{order_id}"
    notice = Notice(id=job.id, kind=job.payload["kind"], text=text.translate(_PLAIN_SPACES), link=link)
    addressed = replace(order, phone=phone if reaches else "")
    instance.hooks.tell(hook, plugin, enabled, instance=instance, order=addressed, notice=notice)
