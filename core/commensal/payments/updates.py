"""Applies a provider's messages about payments, which may come twice, late and in any order.

A message can even arrive before the answer to the request that caused it. So a payment that is Done stays Done, one
that has ended is revived only by money, and everything else has no effect.
"""

from __future__ import annotations

from ..base.errors import NotFound
from ..hooks.values import PaymentUpdate
from ..storage.database import Transaction
from .payments import await_provider, end_payment, fail_payment, payment_by_id, record_payment
from .problems import keep_problem, keep_unknown_payment
from .refunds import await_refund, fail_refund, record_provider_refund
from .values import Payment


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
