"""The hooks of events: each makes one delivery for every address of the enterprise that wants to be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from commensal import Event, Instance, Order, Payment, SaleSession, StockLot, hookimpl

from .data import body_of, lot_data, order_data, payment_data, sale_data
from .deliveries import queue

Data = Callable[[Any, bool], dict[str, Any]]


@hookimpl
def order_placed(instance: Instance, event: Event, order: Order) -> None:
    _tell(instance, event, order_data, order)


@hookimpl
def order_changed(instance: Instance, event: Event, order: Order) -> None:
    _tell(instance, event, order_data, order)


@hookimpl
def order_cancelled(instance: Instance, event: Event, order: Order) -> None:
    _tell(instance, event, order_data, order)


@hookimpl
def order_fulfilled(instance: Instance, event: Event, order: Order) -> None:
    _tell(instance, event, order_data, order)


@hookimpl
def payment_received(instance: Instance, event: Event, payment: Payment) -> None:
    _tell(instance, event, payment_data, payment)


@hookimpl
def payment_refunded(instance: Instance, event: Event, payment: Payment) -> None:
    _tell(instance, event, payment_data, payment)


@hookimpl
def sale_opened(instance: Instance, event: Event, sale: SaleSession) -> None:
    _tell(instance, event, sale_data, sale)


@hookimpl
def sale_completed(instance: Instance, event: Event, sale: SaleSession) -> None:
    _tell(instance, event, sale_data, sale)


@hookimpl
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    _tell(instance, event, lot_data, lot)


def _tell(instance: Instance, event: Event, data: Data, subject: object) -> None:
    """Told twice of the same event, it queues once."""
    instance.store.transact(lambda tx: queue(tx, event, lambda personal: body_of(event, data(subject, personal))))
