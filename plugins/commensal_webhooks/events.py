"""Implementations of event hooks: each queues a delivery for every hook of the enterprise that subscribes to it."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import (
    ConsentRequest,
    Customer,
    Event,
    Instance,
    Notice,
    Order,
    OrderDraft,
    Payment,
    SaleSession,
    StockLot,
    SuppliedProduct,
    Transaction,
    hookimpl,
    translate,
)

from .data import Data, body_of, customer_data, lot_data, notice_data, order_data, payment_data, product_data, sale_data
from .deliveries import queue
from .hooks import NOTICE, hooks_of


@hookimpl
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    _queue(instance, event, order_data, order)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    _queue(instance, event, order_data, order)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _queue(instance, event, order_data, order)


@hookimpl
def order_fulfilled(instance: Instance, event: Event, order: Order) -> None:
    _queue(instance, event, order_data, order)


@hookimpl
def order_paid(instance: Instance, event: Event, order: Order) -> None:
    _queue(instance, event, order_data, order)


@hookimpl
def customer_created(instance: Instance, event: Event, customer: Customer) -> None:
    _queue(instance, event, customer_data, customer)


@hookimpl
def payment_received(instance: Instance, event: Event, payment: Payment) -> None:
    _queue(instance, event, payment_data, payment)


@hookimpl
def payment_refunded(instance: Instance, event: Event, payment: Payment) -> None:
    _queue(instance, event, payment_data, payment)


@hookimpl
def payment_failed(instance: Instance, event: Event, payment: Payment) -> None:
    _queue(instance, event, payment_data, payment)


@hookimpl
def sale_planned(instance: Instance, event: Event, sale: SaleSession) -> None:
    _queue(instance, event, sale_data, sale)


@hookimpl
def sale_cancelled(instance: Instance, event: Event, sale: SaleSession) -> None:
    _queue(instance, event, sale_data, sale)


@hookimpl
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    _queue(instance, event, sale_data, sale)


@hookimpl
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    _queue(instance, event, sale_data, sale)


@hookimpl
def sold_out(instance: Instance, event: Event, lot: StockLot) -> None:
    _queue(instance, event, lot_data, lot)


@hookimpl
def stock_low(instance: Instance, event: Event, lot: StockLot) -> None:
    _queue(instance, event, lot_data, lot)


@hookimpl
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    _queue(instance, event, lot_data, lot)


@hookimpl
def product_changed(instance: Instance, event: Event, product: SuppliedProduct) -> None:
    _queue(instance, event, product_data, product)


def _queue(instance: Instance, event: Event, data: Data, subject: object) -> None:
    """Queues the deliveries of an event, once even if called twice for the same event."""
    instance.store.transact(lambda tx: queue(tx, event, lambda personal: body_of(event, data(subject, personal))))


# Notices to customers, for software that passes them on by SMS, Matrix or the like: only with their consent.


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
