"""Identifies the customer who uses a voucher that each customer has once.

The customer of an order with a proven identity counts as this customer, whatever the address. A guest counts by the
mailbox that they typed, and only among guests: so a guest can neither use up a customer's turn nor learn of it. Once a
guest proves the order, its use counts for the customer too (`questions.matches_for`), and still for the mailbox. A
voucher that needs stronger identification requires a confirmed address.
"""

from __future__ import annotations

from collections.abc import Mapping

from commensal import OrderDraft, fingerprint


def holder_of(order: OrderDraft) -> Mapping[str, str | None]:
    """Returns the columns of a use that identify its customer; two uses of a voucher may share none of them."""
    mailbox = mailbox_of(order.email) if order.email else None
    if order.customer_id is not None:
        mailbox = fingerprint(f"customer {order.customer_id}")
    return {"mailbox": mailbox, "person_id": order.person_id}


def mailbox_of(email: str) -> str:
    """Returns the fingerprint of a mailbox: ada+soap@example.org equals ada@example.org. No address is stored."""
    name, _, domain = email.partition("@")
    return fingerprint(f"{name.partition('+')[0]}@{domain}")
