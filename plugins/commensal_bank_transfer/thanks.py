"""The e-mail to a customer whose transfer has arrived."""

from __future__ import annotations

from collections.abc import Mapping

from commensal import Event, Instance, Order, hookimpl, mail_customer

from .settings import Settings

_METHOD = "bank_transfer:"
_ARRIVED = "bank_transfer_arrived"


@hookimpl
def mail_kinds() -> Mapping[str, str]:
    return {_ARRIVED: "transfer has arrived"}


@hookimpl
def order_paid(instance: Instance, event: Event, order: Order, settings: Settings) -> None:
    """Mails the customer of an order that is to be paid by transfer, if the shop wants that."""
    if settings.mail_when_arrived and order.payment_method.startswith(_METHOD):
        instance.store.transact(
            lambda tx: mail_customer(tx, order, _ARRIVED, {"amount": order.paid_total}, key=event.id)
        )
