"""What became of a payment: Stripe's messages, asking Stripe, and calling a payment off.

A message is proved by its signature, and then only says which object to look at. So one that is old, repeated or out of
order tells nothing but what is true now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from commensal import Payment, PaymentUpdate, Refused, WebhookRequest, hookimpl

from .client import stripe_client
from .paying import ENTERPRISE, PAYMENT
from .settings import InstanceSettings, Settings
from .telling import of_intent, of_refund, of_session

if TYPE_CHECKING:
    from stripe import StripeClient

_OLDEST = 300  # seconds between Stripe's signature and now; what is older may be a copy that somebody kept
_SESSION, _INTENT = "cs_", "pi_"  # how the ids of Stripe's objects begin


@hookimpl
def payment_webhook(
    enterprise_id: str, request: WebhookRequest, settings: Settings, instance_settings: InstanceSettings
) -> Sequence[PaymentUpdate]:
    """Empty for what is not ours: a Stripe account may serve other software, and other shops, too."""
    about = _proved(request, settings)
    if (about.get("metadata") or {}).get(ENTERPRISE) != enterprise_id:
        return []
    with stripe_client(settings, instance_settings) as client:
        said = _look(client, str(about.get("object")), str(about.get("id")))
    return [] if said is None else [said]


@hookimpl
def payment_status(payment: Payment, settings: Settings, instance_settings: InstanceSettings) -> PaymentUpdate | None:
    """A payment whose page we never heard of is looked for by what was written on it."""
    with stripe_client(settings, instance_settings) as client:
        if payment.reference.startswith(_SESSION):
            return _look(client, "checkout.session", payment.reference)
        if payment.reference.startswith(_INTENT):
            return _look(client, "payment_intent", payment.reference)
        found = client.v1.payment_intents.search({"query": f"metadata['{PAYMENT}']:'{payment.id}'"})
        told = [said for said in map(of_intent, found.data) if said is not None]
    return next((said for said in told if said.state == "Done"), told[0] if told else None)


@hookimpl
def cancel_payment(payment: Payment, settings: Settings, instance_settings: InstanceSettings) -> None:
    """Closes the page. One that is paid or closed already stays so, and the core asks which."""
    from stripe import InvalidRequestError

    if not payment.reference.startswith(_SESSION):
        return
    try:
        with stripe_client(settings, instance_settings) as client:
            options: Any = {"idempotency_key": f"{payment.id}:expire"}
            client.v1.checkout.sessions.expire(payment.reference, options=options)
    except InvalidRequestError:
        return


def _proved(request: WebhookRequest, settings: Settings) -> dict[str, Any]:
    """The object that the message is about. Raises `Refused` for what Stripe has not signed, or not lately."""
    from stripe import SignatureVerificationError, WebhookSignature

    header, secret = request.headers.get("stripe-signature", ""), settings.webhook_secret.reveal()
    try:
        WebhookSignature.verify_header(request.body, header, secret, _OLDEST)
        event = msgspec.json.decode(request.body)
        about = event["data"]["object"]
    except (SignatureVerificationError, ValueError, LookupError, TypeError) as error:
        raise Refused("signature", "This message is not signed by Stripe.") from error
    return about if isinstance(about, dict) else {}


def _look(client: StripeClient, kind: str, object_id: str) -> PaymentUpdate | None:
    match kind:
        case "checkout.session":
            return of_session(client.v1.checkout.sessions.retrieve(object_id, {"expand": ["payment_intent"]}))
        case "payment_intent":
            return of_intent(client.v1.payment_intents.retrieve(object_id))
        case "refund":
            return of_refund(client.v1.refunds.retrieve(object_id))
        case _:
            return None
