"""Jobs that ask a provider about a payment's state, and that cancel a payment at its provider.

There is one chain of jobs for each payment, so the work does not grow with history. It replaces messages and answers
that were lost: in each case the journal gets one entry.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from ..base.errors import PluginError, Refused
from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.contract import AnyHook
from ..hooks.values import PaymentUpdate
from ..instance import Instance
from ..storage.database import Transaction
from ..storage.jobs import Job
from .payments import payment_by_id, payments_of
from .provider_jobs import STATUS, enqueue_again, uncancelled_at_provider
from .updates import apply_update
from .values import Payment

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
