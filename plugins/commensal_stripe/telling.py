"""What Stripe's objects say of our payments and refunds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from commensal import PaymentUpdate

from .amounts import from_stripe
from .paying import PAYMENT, REFUND

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund
    from stripe.checkout import Session

State = Literal["Pending", "Done", "Failed", "Cancelled"]
_INTENTS: dict[str, State] = {"succeeded": "Done", "processing": "Pending", "canceled": "Cancelled"}
_REFUNDS: dict[str, State] = {"succeeded": "Done", "pending": "Pending", "requires_action": "Pending"}


def of_session(session: Session) -> PaymentUpdate | None:
    """`session` with its payment intent in it. None while the customer is at it.

    A session that is complete and not paid waits for a bank, or the bank has said no: then its intent wants another
    means of payment, which nobody can give any more.
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


def of_intent(intent: PaymentIntent) -> PaymentUpdate | None:
    """None for an intent that waits for the customer: a card that was declined may be followed by another one."""
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


def of_refund(refund: Refund) -> PaymentUpdate:
    return PaymentUpdate(
        payment_id=metadata(refund).get(REFUND, ""),
        state=_REFUNDS.get(refund.status or "", "Failed"),
        amount=from_stripe(refund.amount, refund.currency),
        currency=refund.currency.upper(),
        reference=refund.id,
        text=getattr(refund, "failure_reason", None) or "",
    )


def metadata(found: Any) -> dict[str, str]:
    """What we have written on one of Stripe's objects."""
    return found.metadata.to_dict() if found.metadata else {}
