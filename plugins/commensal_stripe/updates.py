"""The state of payments: reads Stripe's messages, asks Stripe, and cancels a payment.

A message is authenticated by its signature, and then only names the object to read. So an old, repeated or reordered
message always leads to the current state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from commensal import Payment, PaymentUpdate, Refused, WebhookRequest, hookimpl

from .client import stripe_client
from .objects import intent_update, refund_update, session_update
from .payments import ENTERPRISE, PAYMENT
from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe import StripeClient

_OLDEST = 300  # seconds between Stripe's signature and now; an older message may be a replay
_SESSION, _INTENT = "cs_", "pi_"  # prefixes of the ids of Stripe's objects


@hookimpl
def payment_webhook(
    enterprise_id: str, request: WebhookRequest, settings: Settings, instance_settings: InstanceSettings
) -> Sequence[PaymentUpdate]:
    """Returns no update for objects of others: a Stripe account may serve other software and other shops too."""
    stripe_object = _verified_object(request, settings)
    if (stripe_object.get("metadata") or {}).get(ENTERPRISE) != enterprise_id:
        return []
    with stripe_client(settings, instance_settings) as client:
        update = _read_object(client, str(stripe_object.get("object")), str(stripe_object.get("id")))
    return [] if update is None else [update]


@hookimpl
def payment_status(payment: Payment, settings: Settings, instance_settings: InstanceSettings) -> PaymentUpdate | None:
    """Reads the payment's object at Stripe; a payment without a reference is searched by its metadata."""
    with stripe_client(settings, instance_settings) as client:
        if payment.reference.startswith(_SESSION):
            return _read_object(client, "checkout.session", payment.reference)
        if payment.reference.startswith(_INTENT):
            return _read_object(client, "payment_intent", payment.reference)
        matches = client.v1.payment_intents.search({"query": f"metadata['{PAYMENT}']:'{payment.id}'"})
        updates = [update for update in map(intent_update, matches.data) if update is not None]
    return next((update for update in updates if update.state == "Done"), updates[0] if updates else None)


@hookimpl
def cancel_payment(payment: Payment, settings: Settings, instance_settings: InstanceSettings) -> None:
    """Expires the payment page. A paid or closed page stays so, and the core then asks for its state."""
    from stripe import InvalidRequestError

    if not payment.reference.startswith(_SESSION):
        return
    try:
        with stripe_client(settings, instance_settings) as client:
            options: Any = {"idempotency_key": f"{payment.id}:expire"}
            client.v1.checkout.sessions.expire(payment.reference, options=options)
    except InvalidRequestError:
        return


def _verified_object(request: WebhookRequest, settings: Settings) -> dict[str, Any]:
    """Returns the object of a message. Raises `Refused` for one that Stripe has not signed, or not recently."""
    from stripe import SignatureVerificationError, WebhookSignature

    header, secret = request.headers.get("stripe-signature", ""), settings.webhook_secret.reveal()
    try:
        WebhookSignature.verify_header(request.body, header, secret, _OLDEST)
        event = msgspec.json.decode(request.body)
        stripe_object = event["data"]["object"]
    except (SignatureVerificationError, ValueError, LookupError, TypeError) as error:
        raise Refused("signature", "This message is not signed by Stripe.") from error
    return stripe_object if isinstance(stripe_object, dict) else {}


def _read_object(client: StripeClient, kind: str, object_id: str) -> PaymentUpdate | None:
    match kind:
        case "checkout.session":
            return session_update(client.v1.checkout.sessions.retrieve(object_id, {"expand": ["payment_intent"]}))
        case "payment_intent":
            return intent_update(client.v1.payment_intents.retrieve(object_id))
        case "refund":
            return refund_update(client.v1.refunds.retrieve(object_id))
        case _:
            return None
