"""Refunds: asked for once, however often we are asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commensal import Payment, PaymentUpdate, Refused, hookimpl

from .amounts import to_stripe
from .client import stripe_client
from .paying import ENTERPRISE, REFUND
from .settings import InstanceSettings, Settings
from .telling import metadata, of_refund

if TYPE_CHECKING:
    from stripe import Refund, StripeClient


@hookimpl
def refund_payment(
    refund: Payment, payment: Payment, settings: Settings, instance_settings: InstanceSettings
) -> PaymentUpdate:
    """Raises `Refused` where Stripe says no, which ends the refund."""
    from stripe import CardError, InvalidRequestError

    try:
        with stripe_client(settings, instance_settings) as client:
            return of_refund(_known(client, refund, payment) or _new(client, refund, payment))
    except (CardError, InvalidRequestError) as error:
        raise Refused("stripe_refund", "Stripe says: {said}", said=error.user_message or error.code) from error


def _known(client: StripeClient, refund: Payment, payment: Payment) -> Refund | None:
    """Stripe forgets idempotency keys after a day; what is written on its refunds it does not."""
    if refund.reference:
        return client.v1.refunds.retrieve(refund.reference)
    made = client.v1.refunds.list({"payment_intent": _intent_of(client, payment), "limit": 100})
    return next((one for one in made.data if metadata(one).get(REFUND) == refund.id), None)


def _new(client: StripeClient, refund: Payment, payment: Payment) -> Refund:
    return client.v1.refunds.create(
        {
            "payment_intent": _intent_of(client, payment),
            "amount": to_stripe(refund.amount, refund.currency),
            "metadata": {REFUND: refund.id, ENTERPRISE: refund.enterprise_id},
        },
        {"idempotency_key": refund.id},
    )


def _intent_of(client: StripeClient, payment: Payment) -> str:
    """What is refunded. A payment that is written down by hand may still name its session."""
    if not payment.reference.startswith("cs_"):
        return payment.reference
    return str(client.v1.checkout.sessions.retrieve(payment.reference).payment_intent)
