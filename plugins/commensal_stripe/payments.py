"""Begins payments: each is one Checkout Session, a page at Stripe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commensal import Payment, PaymentMethod, PaymentStart, Refused, digits, hookimpl, translate

from .client import stripe_client
from .settings import InstanceSettings, Settings

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams


# Amounts as Stripe writes them, which are not always in the minor unit of ISO 4217.
#
# Lists and exceptions: https://docs.stripe.com/currencies#minor-units

_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))  # but the last digit must be 0
# The króna and the Ugandan shilling have no minor unit, but Stripe requires two digits, which must be 00.


def to_stripe(amount: int, currency: str) -> int:
    """Converts minor units to Stripe's amount. Raises `Refused` for an amount that Stripe cannot take."""
    our_digits, stripe_digits = digits(currency), _digits(currency)
    stripe_amount, remainder = divmod(amount * _power(stripe_digits), _power(our_digits))
    if remainder or (currency in _THOUSANDTHS and stripe_amount % 10):
        raise Refused("stripe_amount", "This amount cannot be paid in this way. Please choose another one.")
    return stripe_amount


def from_stripe(amount: int, currency: str) -> int:
    """Converts Stripe's amount to minor units; 0 if it is no integer, since we never ask for such an amount."""
    own_amount, remainder = divmod(amount * _power(digits(currency.upper())), _power(_digits(currency.upper())))
    return 0 if remainder else own_amount


def _power(exponent: int) -> int:
    return (1, 10, 100, 1000)[exponent]


def _digits(currency: str) -> int:
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


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
