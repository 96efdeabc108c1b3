"""Jobs that ask a provider about a payment's state, and that cancel a payment at its provider.

There is one chain of jobs for each payment, so the work does not grow with history. It replaces messages and answers
that were lost: in each case the journal gets one entry.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from ..base.errors import NotFound, PluginError, Refused
from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.contract import AnyHook
from ..hooks.values import PaymentUpdate, WebhookRequest
from ..instance import Instance
from ..storage.database import Transaction
from ..storage.jobs import Job
from .payments import (
    STATUS,
    await_provider,
    end_payment,
    enqueue_again,
    fail_payment,
    payment_by_id,
    payments_of,
    record_payment,
    uncancelled_at_provider,
)
from .problems import keep_problem, keep_unknown_payment
from .refunds import await_refund, fail_refund, record_provider_refund
from .values import Payment

# Applies a provider's messages about payments, which may come twice, late and in any order.
#
# A message can even arrive before the answer to the request that caused it. So a payment that is Done stays Done, one
# that has ended is revived only by money, and everything else has no effect.


def apply_update(tx: Transaction, enterprise_id: str, plugin: str, update: PaymentUpdate) -> Payment | None:
    """Applies an update from the enterprise's provider, received by `plugin`. Returns the payment afterwards.

    The payment must belong to the enterprise and the plugin, and have the same amount and currency. Otherwise nothing
    is applied, the message is stored as a problem for a person, and None is returned.
    """
    try:
        payment = payment_by_id(tx, enterprise_id, update.payment_id)
    except NotFound:
        payment = None
    if payment is None or payment.plugin != plugin:
        keep_unknown_payment(
            tx,
            enterprise_id,
            plugin,
            update.payment_id,
            amount=update.amount,
            currency=update.currency,
            reference=update.reference,
        )
        return None
    if (update.amount, update.currency) != (payment.amount, payment.currency):
        code = "other_currency" if update.currency != payment.currency else "other_amount"
        keep_problem(tx, payment, code, amount=update.amount, currency=update.currency, reference=update.reference)
        return None
    return _apply_to_refund(tx, payment, update) if payment.kind == "refund" else _apply_to_payment(tx, payment, update)


def _apply_to_payment(tx: Transaction, payment: Payment, update: PaymentUpdate) -> Payment:
    key = (tx, payment.enterprise_id, payment.id)
    match update.state:
        case "Done":
            return record_payment(*key, person_id=None, reference=update.reference)
        case "Failed":
            return fail_payment(*key, text=update.text)
        case "Cancelled":
            return end_payment(*key)
        case "Pending":
            return await_provider(*key, reference=update.reference)


def _apply_to_refund(tx: Transaction, refund: Payment, update: PaymentUpdate) -> Payment:
    key = (tx, refund.enterprise_id, refund.id)
    match update.state:
        case "Done":
            return record_provider_refund(*key, reference=update.reference)
        case "Failed" | "Cancelled":
            return fail_refund(*key, text=update.text)
        case "Pending":
            return await_refund(*key, reference=update.reference)


_log = structlog.get_logger("commensal.payments")
_ALSO_ENDED = 3  # questions about a payment that has failed: perhaps only the answer was lost


def check_payment_status(instance: Instance, job: Job) -> None:
    """Does the job `STATUS`: asks for a payment's state and applies it; enqueues the next question while undecided."""
    payment, enabled = _read(instance, job)
    if payment.state == "Done":
        return
    update = _ask_status(instance, payment, enabled)
    questions_asked = int(job.payload["asked"])

    def act(tx: Transaction) -> None:
        current = _apply_status(tx, payment, update)
        undecided = (
            current.is_under_way
            or (update is not None and update.state == "Pending")
            or questions_asked + 1 < _ALSO_ENDED
        )
        if current.state != "Done" and undecided:
            enqueue_again(tx, STATUS, payment, questions_asked)

    instance.store.transact(act)


def cancel_at_provider(instance: Instance, job: Job) -> None:
    """Does the job `CANCEL`: cancels a payment at its provider, then asks whether it was paid before."""
    payment, enabled = _read(instance, job)
    if payment.state != "Done":
        _cancel_payment(instance, payment, enabled)


def cancel_other_payments(instance: Instance, new_payment: Payment) -> None:
    """Cancels earlier payments of the order at their providers before the payer is asked again.

    So there are never two pages to pay on, and a payer who has paid already is not asked twice. If a provider does not
    answer, a job tries again. This covers all earlier payments, not only the one that `new_payment` replaces: a process
    may have crashed before it cancelled one, and an attempt that failed without an answer may still have charged.
    """
    with instance.store.read() as tx:
        others = {
            payment.id: payment
            for payment in payments_of(tx, new_payment.enterprise_id, new_payment.order_id)
            if payment.id != new_payment.id
        }
        uncancelled = uncancelled_at_provider(tx, others) if others else ()
        enabled = enabled_plugins(tx, new_payment.enterprise_id)
    for other in others.values():
        if other.id in uncancelled:
            try:
                _cancel_payment(instance, other, enabled)
            except (PluginError, Refused) as error:
                _log.warning("a payment will be cancelled at its provider later", plugin=other.plugin, exc_info=error)


def _cancel_payment(instance: Instance, payment: Payment, enabled: Mapping[str, object]) -> None:
    if _implements(instance, specifications.cancel_payment, payment, enabled):
        instance.hooks.tell(specifications.cancel_payment, payment.plugin, enabled, instance=instance, payment=payment)
    update = _ask_status(instance, payment, enabled)
    if update is not None:
        instance.store.transact(lambda tx: _apply_status(tx, payment, update))


def _ask_status(instance: Instance, payment: Payment, enabled: Mapping[str, object]) -> PaymentUpdate | None:
    if not _implements(instance, specifications.payment_status, payment, enabled):
        return None
    update = instance.hooks.ask(
        specifications.payment_status, payment.plugin, enabled, instance=instance, payment=payment
    )
    if update is not None and update.payment_id != payment.id:
        raise PluginError(
            payment.plugin, "payment_status", f"it was asked about {payment.id} and answered about {update.payment_id}"
        )
    return update


def _apply_status(tx: Transaction, payment: Payment, update: PaymentUpdate | None) -> Payment:
    applied = apply_update(tx, payment.enterprise_id, payment.plugin, update) if update is not None else None
    return applied or payment_by_id(tx, payment.enterprise_id, payment.id)


def _read(instance: Instance, job: Job) -> tuple[Payment, Mapping[str, object]]:
    with instance.store.read() as tx:
        payment = payment_by_id(tx, job.payload["enterprise_id"], job.payload["payment_id"])
        return payment, enabled_plugins(tx, payment.enterprise_id)


def _implements(instance: Instance, hook: AnyHook, payment: Payment, enabled: Mapping[str, object]) -> bool:
    """Tells whether the payment's plugin is enabled and implements the hook; a disabled one may be enabled again."""
    return payment.plugin in enabled and bool(instance.hooks.implementing(hook, {payment.plugin}))


# Messages of providers: authenticated by the plugin, then applied one by one, each in its own transaction.


def is_switched_on(instance: Instance, plugin: str, enterprise_id: str) -> bool:
    """Tells whether the enterprise has switched the plugin on."""
    with instance.store.read() as tx:
        return plugin in enabled_plugins(tx, enterprise_id)


def apply_message(instance: Instance, plugin: str, enterprise_id: str, request: WebhookRequest) -> None:
    """Applies all updates of the enterprise's payments in a message. Not inside a transaction.

    Raises `Refused` if the plugin does, and `PluginError`. Updates applied before an error stay; when the provider
    sends the message again, they change nothing.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
    updates = instance.hooks.ask(
        specifications.payment_webhook, plugin, enabled, instance=instance, enterprise_id=enterprise_id, request=request
    )
    for update in updates:
        _apply(instance, plugin, enterprise_id, update)


def _apply(instance: Instance, plugin: str, enterprise_id: str, update: PaymentUpdate) -> Payment | None:
    return instance.store.transact(lambda tx: apply_update(tx, enterprise_id, plugin, update))
