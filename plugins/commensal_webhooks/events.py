"""Implementations of event hooks: each queues a delivery for every hook of the enterprise that subscribes to it."""

from __future__ import annotations

from commensal import Customer, Event, Instance, Order, Payment, SaleSession, StockLot, SuppliedProduct, hookimpl

from .data import Data, body_of, customer_data, lot_data, order_data, payment_data, product_data, sale_data
from .deliveries import queue


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
