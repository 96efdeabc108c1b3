"""Account: members pay in beforehand, and their orders are paid from what they have.

A shop opens accounts for its customers and writes down what they pay in. An order that is paid by account is refused
when it would take the balance below the minimum (which may be negative: then the shop gives credit). What an order
costs less in the end, because it was weighed, changed or cancelled, goes back; what it costs more is taken.

An account is kept in the shop's money, or in another unit at a fixed price: hours of work, local money, points.
"""

from __future__ import annotations

from pathlib import Path

from commensal import hookimpl

from .crediting import credit_customer, credit_target
from .endpoints import endpoints
from .invariants import erase_person, invariants, switched_off
from .mails import mail_parts, mail_placeholders, placeholder_values
from .office import office_pages, page_parts
from .order_changes import order_cancelled, order_changed, pay_from_credit
from .payments import order_problems, payment_methods, payment_status, refund_payment, start_payment
from .settings import Settings

__all__ = [
    "credit_customer",
    "credit_target",
    "endpoints",
    "enterprise_settings",
    "erase_person",
    "invariants",
    "mail_parts",
    "mail_placeholders",
    "migrations",
    "office_pages",
    "order_cancelled",
    "order_changed",
    "order_problems",
    "page_parts",
    "pay_from_credit",
    "payment_methods",
    "payment_status",
    "placeholder_values",
    "refund_payment",
    "start_payment",
    "switched_off",
]


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"
