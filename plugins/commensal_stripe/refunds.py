"""Refunds: each is created at Stripe once, however often the core asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commensal import Payment, PaymentUpdate, Refused, hookimpl

from .client import stripe_client
from .objects import metadata, refund_update
from .payments import ENTERPRISE, REFUND, to_stripe
from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe import Refund, StripeClient


@hookimpl
def refund_payment(
    refund: Payment, payment: Payment, settings: Settings, instance_settings: InstanceSettings
) -> PaymentUpdate:
    """Creates the refund or reads the existing one. Raises `Refused` if Stripe refuses, which ends the refund."""
    from stripe import CardError, InvalidRequestError

    try:
        with stripe_client(settings, instance_settings) as client:
            return refund_update(_existing_refund(client, refund, payment) or _create_refund(client, refund, payment))
    except (CardError, InvalidRequestError) as error:
        raise Refused("stripe_refund", "Stripe says: {said}", said=error.user_message or error.code) from error


def _existing_refund(client: StripeClient, refund: Payment, payment: Payment) -> Refund | None:
    """Returns the refund if it exists. It is found by its metadata: Stripe forgets idempotency keys after a day."""
    if refund.reference:
        return client.v1.refunds.retrieve(refund.reference)
    refunds = client.v1.refunds.list({"payment_intent": _intent_of(client, payment), "limit": 100})
    return next((candidate for candidate in refunds.data if metadata(candidate).get(REFUND) == refund.id), None)


def _create_refund(client: StripeClient, refund: Payment, payment: Payment) -> Refund:
    return client.v1.refunds.create(
        {
            "payment_intent": _intent_of(client, payment),
            "amount": to_stripe(refund.amount, refund.currency),
            "metadata": {REFUND: refund.id, ENTERPRISE: refund.enterprise_id},
        },
        {"idempotency_key": refund.id},
    )


def _intent_of(client: StripeClient, payment: Payment) -> str:
    """Returns the id of the payment intent to refund. A payment recorded by hand may still name its session."""
    if not payment.reference.startswith("cs_"):
        return payment.reference
    return str(client.v1.checkout.sessions.retrieve(payment.reference).payment_intent)
