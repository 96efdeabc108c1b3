"""Begins payments: each is one Checkout Session, a page at Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commensal import Payment, PaymentMethod, PaymentStart, Refused, hookimpl, translate

from .amounts import to_stripe
from .client import stripe_client
from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

METHOD = "checkout"
_LOCALES = (
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "hr",
    "hu",
    "it",
    "ja",
    "lt",
    "lv",
    "ms",
    "mt",
    "nb",
    "nl",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sv",
    "th",
    "tr",
    "vi",
    "zh",
)
PAYMENT, REFUND, ENTERPRISE = "commensal_payment", "commensal_refund", "commensal_enterprise"  # keys of metadata
_TOO_SMALL_OR_LARGE = ("amount_too_small", "amount_too_large")


@hookimpl
def payment_methods(settings: Settings, language: str) -> Sequence[PaymentMethod]:
    if not settings.complete:
        return []
    description = translate(language, "You pay on Stripe's page and come back to your order.")
    return [
        PaymentMethod(id=METHOD, label=settings.label or translate(language, "Card (Stripe)"), description=description)
    ]


@hookimpl
def start_payment(
    payment: Payment,
    order_number: int,
    email: str,
    return_url: str,
    settings: Settings,
    instance_settings: InstanceSettings,
    language: str,
) -> PaymentStart:
    """Creates the Checkout Session. The payment's id is the idempotency key, so a second call returns the same page."""
    from stripe import InvalidRequestError

    page = _session_parameters(payment, order_number, email, return_url, settings, language)
    try:
        with stripe_client(settings, instance_settings) as client:
            session = client.v1.checkout.sessions.create(page, {"idempotency_key": payment.id})
    except InvalidRequestError as error:
        if error.code in _TOO_SMALL_OR_LARGE:
            text = "This amount cannot be paid in this way. Please choose another one."
            raise Refused("stripe_amount", text) from error
        raise
    instructions = translate(language, "Pay on Stripe's page. You come back here afterwards.")
    return PaymentStart(text=instructions, redirect=session.url or "", reference=session.id)


def _session_parameters(
    payment: Payment, order_number: int, email: str, return_url: str, settings: Settings, language: str
) -> SessionCreateParams:
    name = translate(language, "Order {number}").format(number=order_number)
    metadata = {PAYMENT: payment.id, ENTERPRISE: payment.enterprise_id}
    price: Any = {
        "currency": payment.currency.lower(),
        "unit_amount": to_stripe(payment.amount, payment.currency),
        "product_data": {"name": name},
    }
    locale: Any = language if language in _LOCALES else "auto"
    page: SessionCreateParams = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "client_reference_id": payment.id,
        "customer_email": email,
        "locale": locale,
        "success_url": return_url,
        "cancel_url": return_url,
        "metadata": metadata,
        "payment_intent_data": {"description": name, "metadata": metadata},
    }
    if settings.methods:
        methods: Any = list(settings.methods)
        page["allowed_payment_method_types"] = methods
    return page
