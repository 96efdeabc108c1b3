"""Bank transfer: customers transfer the amount, and the bank's statement says who has paid.

At the order the customer reads where to transfer how much, with a reference of their own, and may photograph a QR code
with their bank's application (European Payments Council, EPC069-12) instead of typing. Later you hand in the statement
of your account, as CSV or as camt.053 (ISO 20022): a transfer with a valid reference is recorded for its order,
whatever its amount; the same statement twice records nothing twice. What matches no order is listed, and you say whose
it is. What is owed to suppliers goes to the bank as one file of SEPA transfers (pain.001).

    commensal bank_transfer import statement.xml --enterprise les-paniers
    commensal bank_transfer open --enterprise les-paniers
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .acts import act_kinds
from .commands import commands
from .demo import demo_data
from .endpoints import endpoints
from .payments import mail_kinds, order_paid, payment_methods, start_payment
from .settings import Settings, check_settings
from .statement_page import office_pages
from .week import page_parts

__all__ = [
    "act_kinds",
    "check_settings",
    "commands",
    "demo_data",
    "endpoints",
    "enterprise_settings",
    "mail_kinds",
    "migrations",
    "office_pages",
    "order_paid",
    "page_parts",
    "payment_methods",
    "start_payment",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
