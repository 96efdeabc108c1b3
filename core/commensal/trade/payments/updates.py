"""What a provider says became of a payment, applied: each time it is said, and whatever was said before.

Messages come twice, late, in any order, and before the answer to the question that they follow from. So a payment that
is Done stays Done, one that has ended is only brought back by money, and everything else has no effect.
"""

from __future__ import annotations

from ...base.errors import NotFound
from ...hooks.values import PaymentUpdate
from ...storage.database import Transaction
from .payments import end, fail, payment_by_id, provider_has_it, record_payment
from .problems import keep_problem, keep_unknown
from .refunds import refund_failed, refund_given, refund_waits
from .values import Payment


def apply_update(tx: Transaction, enterprise_id: str, plugin: str, update: PaymentUpdate) -> Payment | None:
    """Applies an update that came from the enterprise's provider by `plugin`; returns the payment as it is then.

    The payment must be the enterprise's and begun by this plugin, and the amount and currency its own. Otherwise
    nothing is applied, what was said is kept for a person, and None returned.
    """
    said = {"amount": update.amount, "currency": update.currency, "reference": update.reference}
    try:
        found = payment_by_id(tx, enterprise_id, update.payment_id)
    except NotFound:
        found = None
    if found is None or found.plugin != plugin:
        keep_unknown(tx, enterprise_id, plugin, update.payment_id, **said)  # type: ignore[arg-type]
        return None
    if (update.amount, update.currency) != (found.amount, found.currency):
        code = "other_currency" if update.currency != found.currency else "other_amount"
        keep_problem(tx, found, code, **said)  # type: ignore[arg-type]
        return None
    return _of_refund(tx, found, update) if found.kind == "refund" else _of_payment(tx, found, update)


def _of_payment(tx: Transaction, found: Payment, update: PaymentUpdate) -> Payment:
    whose = (tx, found.enterprise_id, found.id)
    match update.state:
        case "Done":
            return record_payment(*whose, person_id=None, reference=update.reference)
        case "Failed":
            return fail(*whose, text=update.text)
        case "Cancelled":
            return end(*whose)
        case "Pending":
            return provider_has_it(*whose, reference=update.reference)


def _of_refund(tx: Transaction, found: Payment, update: PaymentUpdate) -> Payment:
    whose = (tx, found.enterprise_id, found.id)
    match update.state:
        case "Done":
            return refund_given(*whose, reference=update.reference)
        case "Failed" | "Cancelled":
            return refund_failed(*whose, text=update.text)
        case "Pending":
            return refund_waits(*whose, reference=update.reference)
