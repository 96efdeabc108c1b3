"""Refunds through the provider: enqueued, requested under one key, and recorded when the money has been sent.

A refund that the provider does not answer stays open and is requested again under the same key, for days if necessary;
only a refusal by the provider ends it. So a lost answer never leads to a second refund.
"""

from __future__ import annotations

from sqlalchemy import func, select

from ...base.errors import Conflict, PluginError, Refused
from ...base.failpoints import failpoint
from ...base.languages.catalogs import say
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import PaymentUpdate
from ...instance import Instance
from ...payments.due import due, locked_due
from ...payments.payments import (
    REFUND,
    enqueue_again,
    enqueue_refund,
    payment_by_id,
    payment_by_key,
    payments_of,
    write_once,
)
from ...payments.problems import keep_problem
from ...payments.providers import apply_update
from ...payments.refunds import fail_refund, owed_to_customer, refuse_too_much
from ...payments.tables import payment as table
from ...payments.values import OPEN, Payment
from ...storage.database import Transaction
from ...storage.jobs import Job

_UNCLEAR_AFTER = 3  # attempts without an answer; then a person is told, and the attempts go on


def begin_refund(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    payment_id: str,
    amount: int,
    *,
    idempotency_key: str,
    anyway: bool = False,
) -> Payment:
    """Creates a refund of `amount` minor units of a received payment, in state Started; a job requests it.

    The same key and content return the same refund. Raises `NotFound`; `Conflict` if the money was not received, if
    more would be given back than is owed for the order (with `anyway`: than was received for it), counting refunds
    under way, or if the provider gives no refunds: then record one by hand.
    """
    payment = payment_by_id(tx, enterprise_id, payment_id)
    order = locked_due(tx, enterprise_id, payment.order_id)
    existing = payment_by_key(tx, enterprise_id, idempotency_key)
    if existing is None:
        payment = payment_by_id(tx, enterprise_id, payment_id)  # read again, now that the order is locked
        _refuse_unless_possible(tx, hooks, payment, amount)
        refuse_too_much(tx, order, amount, anyway=anyway)
    refund = write_once(tx, order, "refund", payment.method, amount, idempotency_key, refunds=payment_id)
    if existing is None:
        enqueue_refund(tx, refund)
    return refund


def refund_by_provider(
    instance: Instance, payment: Payment, amount: int | None, *, key: str, anyway: bool = False
) -> Payment | None:
    """Begins a refund of `amount` minor units as `begin_refund` does. Not inside a transaction.

    Without an amount it refunds what is owed for the order now, up to the amount of the payment, and returns None if
    nothing is owed. This is decided while the order is locked, so simultaneous refunds do not add up.
    """

    def act(tx: Transaction) -> Payment | None:
        refundable = _refundable(tx, payment, key) if amount is None else amount
        if not refundable:
            return None
        return begin_refund(
            tx, instance.hooks, payment.enterprise_id, payment.id, refundable, idempotency_key=key, anyway=anyway
        )

    return instance.store.transact(act)


def _refundable(tx: Transaction, payment: Payment, key: str) -> int:
    """Returns how much of what is owed this payment can refund; the amount of the refund begun with `key`, if any."""
    order = locked_due(tx, payment.enterprise_id, payment.order_id)
    existing = payment_by_key(tx, payment.enterprise_id, key)
    return existing.amount if existing else min(owed_to_customer(tx, order), payment.amount - _refunded_of(tx, payment))


def refundable_payments(tx: Transaction, hooks: Hooks, enterprise_id: str, order_id: str) -> dict[str, int]:
    """Returns what the provider of each received payment of the order can still give back, in minor units by payment
    id."""
    enabled = enabled_plugins(tx, enterprise_id)
    refunding = {plugin for plugin in enabled if hooks.implementing(specifications.refund_payment, {plugin})}
    payments = [
        payment
        for payment in payments_of(tx, enterprise_id, order_id)
        if payment.kind == "payment" and payment.state == "Done" and payment.plugin in refunding
    ]
    left = {payment.id: payment.amount - _refunded_of(tx, payment) for payment in payments}
    return {payment_id: amount for payment_id, amount in left.items() if amount > 0}


def request_refund(instance: Instance, job: Job) -> None:
    """Does the job `REFUND`: requests a refund from the provider and applies the answer, or repeats."""
    with instance.store.read() as tx:
        refund = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        payment = payment_by_id(tx, refund.enterprise_id, refund.refunds or "")
        enabled = enabled_plugins(tx, refund.enterprise_id)
    if not refund.is_under_way:
        return
    failpoint("refund.before_asking")
    try:
        update = instance.hooks.ask(
            specifications.refund_payment, refund.plugin, enabled, instance=instance, refund=refund, payment=payment
        )
        _refuse_other_payment(refund, update)
    except Refused as error:
        text = say(instance.settings.language, error)
        instance.store.transact(lambda tx: fail_refund(tx, refund.enterprise_id, refund.id, text=text))
        return
    except PluginError:
        if job.attempts >= _UNCLEAR_AFTER:
            instance.store.transact(lambda tx: keep_problem(tx, refund, "refund_unclear"))
        raise

    failpoint("refund.asked")

    def act(tx: Transaction) -> None:
        refund_now = apply_update(tx, refund.enterprise_id, refund.plugin, update)
        if refund_now is not None and refund_now.is_under_way:
            enqueue_again(tx, REFUND, refund, int(job.payload["asked"]))

    instance.store.transact(act)


def return_late_payment(instance: Instance, job: Job) -> None:
    """Does the job `LATE`: refunds money that came for a cancelled order, if the provider can and nobody else has.

    No person needs to decide, since no goods are kept for that money. An overpaid order that still stands is a
    different case: the shop may keep the surplus for the next order, and is only told.
    """
    with instance.store.read() as tx:
        late_payment = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        order = due(tx, late_payment.enterprise_id, late_payment.order_id)
    if order.state != "Cancelled" or late_payment.state != "Done":
        return
    try:
        refund_by_provider(instance, late_payment, None, key=f"late:{late_payment.id}")
    except Conflict:
        return  # it stays listed as owed, for a refund by hand


def _refuse_unless_possible(tx: Transaction, hooks: Hooks, payment: Payment, amount: int) -> None:
    if payment.kind != "payment" or payment.state != "Done":
        raise Conflict("not_received", "Only a payment that was received can be given back.")
    is_enabled = payment.plugin in enabled_plugins(tx, payment.enterprise_id)
    if not is_enabled or not hooks.implementing(specifications.refund_payment, {payment.plugin}):
        raise Conflict("by_hand", "This way to pay gives nothing back by itself; record what you have given back.")
    if _refunded_of(tx, payment) + amount > payment.amount:
        raise Conflict("more_than_received", "More cannot be given back than was received for this order.")


def _refunded_of(tx: Transaction, payment: Payment) -> int:
    """Returns the minor units of a payment that its provider has refunded or is refunding."""
    refunded = select(func.coalesce(func.sum(table.c.amount), 0)).where(
        table.c.refunds == payment.id, table.c.state.in_((*OPEN, "Done"))
    )
    return int(tx.value(refunded))


def _refuse_other_payment(refund: Payment, update: PaymentUpdate) -> None:
    if update.payment_id != refund.id:
        what = f"it was asked about {refund.id} and answered about {update.payment_id}"
        raise PluginError(refund.plugin, "refund_payment", what)
