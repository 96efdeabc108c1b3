"""Notices to customers, for software that passes them on by SMS, Matrix or the like: only with their consent."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import ConsentRequest, Event, Instance, Notice, Order, OrderDraft, Transaction, hookimpl, translate

from .data import body_of, notice_data
from .deliveries import queue
from .hooks import NOTICE, hooks_of


@hookimpl
def consent_requests(tx: Transaction, order: OrderDraft, language: str) -> Sequence[ConsentRequest]:
    """Asks for the consent where an address wants notices, and is told who the customers are."""
    if not any(hook.enabled and hook.wants(NOTICE) for hook in hooks_of(tx, order.enterprise_id)):
        return []
    text = (
        "Send me short messages about my order, such as an SMS. My name, telephone number and e-mail address go to the "
        "service that sends them."
    )
    return [ConsentRequest(id="notices", text=translate(language, text))]


@hookimpl
def send_notice(instance: Instance, order: Order, notice: Notice) -> None:
    """Queues the notice for each address that wants notices, once however often it is called."""

    def send(tx: Transaction) -> None:
        event = Event(id=notice.id, kind=NOTICE, at=tx.now, enterprise_id=order.enterprise_id)
        queue(tx, event, lambda personal: body_of(event, notice_data((order, notice), personal)))

    instance.store.transact(send)
