"""Stripe: customers pay by card, or whatever else the shop's Stripe account takes, on Stripe's own page.

A shop enters the secret key of its Stripe account, and the signing secret of a webhook that it makes there for
``<address of this site>/-/stripe/webhook/<id of the enterprise>`` with the events ``checkout.session.*``,
``payment_intent.*`` and ``refund.*``. Its customers are then sent to Stripe and come back to their order.

No number of a card comes near this site. Stripe's messages only say where to look: what counts is what Stripe answers
when it is asked with the shop's own key. Where a message does not come, Stripe is asked.

Needs Stripe's library: ``pip install 'commensal[stripe]'``.
"""

from __future__ import annotations

from importlib.util import find_spec

from commensal import hookimpl

from .check import check_settings
from .payments import payment_methods, start_payment
from .refunds import refund_payment
from .settings import InstanceSettings, Settings
from .updates import cancel_payment, payment_status, payment_webhook

__all__ = [
    "cancel_payment",
    "check_settings",
    "enterprise_settings",
    "instance_settings",
    "payment_methods",
    "payment_status",
    "payment_webhook",
    "refund_payment",
    "start_payment",
]

if find_spec("stripe") is None:
    raise ImportError("Stripe's library is not installed; run: pip install 'commensal[stripe]'")


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def instance_settings() -> type:
    return InstanceSettings
