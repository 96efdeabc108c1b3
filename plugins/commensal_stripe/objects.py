"""Turns Stripe's objects into updates of our payments and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from commensal import PaymentUpdate

from .payments import PAYMENT, REFUND, from_stripe

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund
    from stripe.checkout import Session

State = Literal["Pending", "Done", "Failed", "Cancelled"]
_INTENTS: dict[str, State] = {"succeeded": "Done", "processing": "Pending", "canceled": "Cancelled"}
_REFUNDS: dict[str, State] = {"succeeded": "Done", "pending": "Pending", "requires_action": "Pending"}


def session_update(session: Session) -> PaymentUpdate | None:
    """Returns the update of a session that includes its payment intent; None while the customer may still pay.

    A session that is complete but not paid waits for a bank, or the bank has refused: then its intent requires another
    payment method, which nobody can supply any more, so the payment has failed.
    """
    intent: Any = session.payment_intent
    if session.payment_status == "paid":
        state: State = "Done"
    elif session.status == "expired":
        state = "Cancelled"
    elif session.status == "complete":
        state = "Pending" if intent is not None and intent.status == "processing" else "Failed"
    else:
        return None
    return PaymentUpdate(
        payment_id=session.client_reference_id or "",
        state=state,
        amount=from_stripe(session.amount_total or 0, session.currency or ""),
        currency=(session.currency or "").upper(),
        reference=intent.id if state == "Done" and intent is not None else session.id,
    )


def intent_update(intent: PaymentIntent) -> PaymentUpdate | None:
    """Returns the update of an intent; None while it waits for the customer, who may try another card."""
    state = _INTENTS.get(intent.status)
    if state is None:
        return None
    return PaymentUpdate(
        payment_id=metadata(intent).get(PAYMENT, ""),
        state=state,
        amount=from_stripe(intent.amount, intent.currency),
        currency=intent.currency.upper(),
        reference=intent.id if state == "Done" else "",
    )


def refund_update(refund: Refund) -> PaymentUpdate:
    return PaymentUpdate(
        payment_id=metadata(refund).get(REFUND, ""),
        state=_REFUNDS.get(refund.status or "", "Failed"),
        amount=from_stripe(refund.amount, refund.currency),
        currency=refund.currency.upper(),
        reference=refund.id,
        text=getattr(refund, "failure_reason", None) or "",
    )


def metadata(stripe_object: Any) -> dict[str, str]:
    """Returns the metadata that we have stored on one of Stripe's objects."""
    return stripe_object.metadata.to_dict() if stripe_object.metadata else {}
