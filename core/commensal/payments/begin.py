"""Begins the payment of an order: records it, asks the plugin outside a transaction, then records the answer.

So no lock is held while a provider works, and a crash in between leaves a payment in state Started: the same key asks
the plugin again, with the same payment id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, select

from ..base.errors import Conflict, NotFound, PluginError, Refused
from ..base.failpoints import failpoint
from ..base.languages.catalogs import say, translate
from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import PaymentStart
from ..instance import Instance
from ..orders.emails import send_confirmation_now
from ..orders.lock import refuse_unless_placed
from ..orders.proof import known_customer_of
from ..orders.rewrite import rewrite
from ..orders.sale_context import sale_context
from ..orders.tables import customer_order
from ..orders.values import Order
from ..storage.database import Transaction
from .due import due, locked_due
from .methods import ChosenMethod, choose_method
from .payments import (
    ask_payer,
    cancel_open,
    enqueue_cancel,
    enqueue_status,
    fail_payment,
    payment_by_id,
    payment_by_key,
    payments_of,
    record_late_answer,
    record_payment,
    start,
)
from .providers import cancel_other_payments
from .values import Payment

_log = structlog.get_logger("commensal.payments")


def start_payment(
    instance: Instance, order_id: str, method: str, key: str, language: str, *, return_url: str = ""
) -> Payment:
    """Begins a payment as `begin_payment` does, and asks its plugin. Not inside a transaction.

    `return_url` is the page to which a provider sends the customer back.
    """
    chosen = choose_method(instance, order_id, method, language)
    payment = instance.store.transact(lambda tx: begin_payment(tx, instance.hooks, chosen, key))
    return ask_plugin(instance, payment, language, return_url)


def begin_payment(tx: Transaction, hooks: Hooks, chosen: ChosenMethod, key: str) -> Payment:
    """Creates a payment of all that is due for a placed order by the `chosen` method, in state Started.

    Earlier payments of the order that are still under way become Cancelled, since the customer has chosen again. The
    same `key` returns the same payment. Raises `NotFound`; `Conflict` if nothing is due, the order is cancelled, the
    method is not offered for this order, or the key was used for something else.
    """
    order_id, method = chosen.order_id, chosen.method
    enterprise_id = tx.value(select(customer_order.c.enterprise_id).where(customer_order.c.id == order_id))
    if enterprise_id is None:
        raise NotFound("no_order", "There is no such order.")
    order = locked_due(tx, enterprise_id, order_id)
    existing = payment_by_key(tx, enterprise_id, key)
    if existing is not None and (existing.order_id, existing.kind, existing.method) == (order_id, "payment", method):
        return existing  # for the amount due then, which may differ from today's
    if order.state != "Cancelled" and order.balance <= 0:
        raise Conflict("nothing_due", "Nothing is due for this order.")
    if not chosen.offered:
        text = "This way to pay is not offered for this order. Choose another one, or log in if you are a customer."
        raise Conflict("payment_unknown", text)
    cancel_open(tx, order_id)
    content = {
        "enterprise_id": enterprise_id,
        "order_id": order_id,
        "method": method,
        "amount": order.total - order.paid,
    }
    payment = start(tx, **content, idempotency_key=key)
    if hooks.implementing(specifications.payment_status, {payment.plugin}):
        enqueue_status(tx, payment)
    return payment


def ask_plugin(instance: Instance, payment: Payment, language: str, return_url: str = "") -> Payment:
    """Asks the plugin to begin the payment and records its answer. Not inside a transaction.

    If the provider refuses or the plugin fails, the payment is Failed and its instructions hold a text for the
    customer; the order stays. If the plugin failed, what it did is unknown: so the payment is cancelled at the provider
    and its state asked later. A payment that is not Started any more is returned unchanged, and so is one whose
    predecessor turns out to be paid.
    """
    if payment.state != "Started":
        return payment
    cancel_other_payments(instance, payment)
    with instance.store.read() as tx:
        payment = payment_by_id(tx, payment.enterprise_id, payment.id)
    if payment.state != "Started":
        return payment  # an earlier payment turned out to be paid
    failpoint("payment.before_asking")
    try:
        answer = _ask(instance, payment, language, return_url or instance.settings.base_url)
    except (Refused, PluginError) as error:
        text, unclear = _text_for_customer(error, language), isinstance(error, PluginError)
        return instance.store.transact(lambda tx: _release_confirmation(tx, _fail(tx, payment, text, unclear=unclear)))
    failpoint("payment.asked")
    answered = instance.store.transact(lambda tx: _release_confirmation(tx, _apply_answer(tx, payment, answer)))
    failpoint("payment.answered")
    return answered


def _ask(instance: Instance, payment: Payment, language: str, return_url: str) -> PaymentStart:
    plugin, _, method = payment.method.partition(":")
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, payment.enterprise_id)
        order = due(tx, payment.enterprise_id, payment.order_id)
    answer = instance.hooks.ask(
        specifications.start_payment,
        plugin,
        enabled,
        instance=instance,
        payment=payment,
        method=method,
        order_number=order.number,
        email=order.email,
        return_url=return_url,
        language=language,
    )
    return answer


def _apply_answer(tx: Transaction, payment: Payment, answer: PaymentStart) -> Payment:
    """Applies the plugin's answer; a message of the provider or the customer's next choice may have come before it."""
    if answer.state == "Done":
        return record_payment(tx, payment.enterprise_id, payment.id, person_id=None, reference=answer.reference)
    current = payment_by_id(tx, payment.enterprise_id, payment.id)
    instructions = {"text": answer.text, "redirect": answer.redirect, "picture": answer.picture}
    pending = ask_payer(
        tx,
        payment.enterprise_id,
        payment.id,
        instructions=instructions,
        reference=answer.reference or current.reference,
    )
    return pending if pending.state == "Pending" else record_late_answer(tx, payment, reference=answer.reference)


def _release_confirmation(tx: Transaction, payment: Payment) -> Payment:
    """Releases the order's confirmation e-mail, which can now tell how to pay. Returns the payment."""
    send_confirmation_now(tx, payment.order_id)
    return payment


def _fail(tx: Transaction, payment: Payment, text: str, *, unclear: bool) -> Payment:
    failed = fail_payment(tx, payment.enterprise_id, payment.id, text=text)
    if unclear and failed.state == "Failed":
        enqueue_cancel(tx, failed)
    return failed


def _text_for_customer(error: Refused | PluginError, language: str) -> str:
    if isinstance(error, Refused):
        return say(language, error)
    _log.warning("a payment could not begin", plugin=error.plugin, exc_info=error)
    return translate(language, "This way to pay does not work at the moment. Please choose another one.")


# Makes sure that a payment of the amount due has begun before an e-mail tells the customer how to pay.

_order = customer_order.c
_BALANCE = (_order.total - _order.paid_total).label("balance")
_UNPAID = select(
    _order.id, _order.enterprise_id, _order.language, _order.payment_method, _order.version, _BALANCE
).where(_order.id == bindparam("order"), _order.state.in_(("Held", "Complete")), _BALANCE > 0)


class _UnpaidOrder(NamedTuple):
    """A placed order of which `balance` minor units of its currency are still to be paid."""

    id: str
    enterprise_id: str
    language: str
    payment_method: str
    version: int
    balance: int


def begin_due_payment(instance: Instance, order_id: str, *, return_url: str) -> None:
    """Begins the payment that the customer chose, if none has begun or it is for an outdated amount.

    The browser may have gone away before it began the payment. Not inside a transaction. A refusal is logged: the
    order's page offers the other payment methods.
    """
    with instance.store.read() as tx:
        order = tx.row(_UnpaidOrder, _UNPAID, {"order": order_id})
        to_begin = _payment_to_begin(tx, order) if order is not None else None
    if order is None or to_begin is None:
        return
    method, key = to_begin
    try:
        start_payment(instance, order_id, method, key, order.language, return_url=return_url)
    except Refused as error:
        _log.warning("the payment of an order could not begin", order=order_id, method=method, exc_info=error)


def _payment_to_begin(tx: Transaction, order: _UnpaidOrder) -> tuple[str, str] | None:
    """Returns method and key of the payment to begin; None if one of the right amount is under way, or if the payer
    has to choose a method. The keys equal those of the shop's pages, so that both begin the same payment."""
    payments, refunds = [], 0
    for each in payments_of(tx, order.enterprise_id, order.id):
        if each.kind == "payment":
            payments.append(each)
        elif each.state not in ("Failed", "Cancelled"):
            refunds += each.amount
    if not payments:
        return (order.payment_method, f"order:{order.id}") if order.payment_method else None
    current, changed_key = payment_under_way(payments), f"order:{order.id}:v{order.version}"
    if current is not None:
        return None if current.amount == order.balance else (current.method, changed_key)
    latest = payments[-1]
    if latest.state == "Done":  # the order costs more since, or the shop gave money back, and does not ask for it again
        return (order.payment_method or latest.method, changed_key) if order.balance > refunds else None
    is_new_choice = order.payment_method and latest.method != order.payment_method
    was_replaced = latest.state == "Cancelled"  # by `change_payment_method`
    return (order.payment_method, changed_key) if is_new_choice and was_replaced else None


def payment_under_way(payments: Sequence[Payment]) -> Payment | None:
    """Returns the payment under way, of which an order has at most one."""
    return next((payment for payment in reversed(payments) if payment.kind == "payment" and payment.is_under_way), None)


# Changes the way in which an order is to be paid.


def change_payment_method(
    tx: Transaction, hooks: Hooks, order: Order, chosen: ChosenMethod, *, by: str | None = None
) -> Order:
    """Makes the locked `order` payable by the `chosen` method, which its plugin was asked for (`choose_method`).

    Payments under way are cancelled, and the order is priced anew, since a fee may go by the method. The customer gets
    an e-mail that says how to pay now. Raises `Conflict` if the method is not offered to this order's customer, if
    nothing is due, or if the order is cancelled.
    """
    refuse_unless_placed(order)
    if order.paid_total >= order.total:
        raise Conflict("nothing_due", "Nothing is due for this order.")
    if chosen.order_id != order.id or not chosen.offered:
        text = "This way to pay is not offered to the customer of this order."
        raise Conflict("payment_unknown", text)
    cancel_open(tx, order.id)
    shop, customer = sale_context(tx, order.session_id), known_customer_of(tx, order)
    return rewrite(tx, hooks, shop, customer, order, order.lines, payment_method=chosen.method, by=by)
