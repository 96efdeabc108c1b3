"""By what a customer is told from others who use a voucher that each has once.

Who has proved whose the order is counts as that customer, at whatever address. A guest counts by the mailbox that they
have typed, among guests: so nobody uses up, or learns of, what a customer has, and a voucher for which that is too weak
asks for a confirmed address.
"""

from __future__ import annotations

from collections.abc import Mapping

from commensal import OrderDraft, fingerprint


def holder_of(order: OrderDraft) -> Mapping[str, str | None]:
    """The columns of a use that say who has it; no second use of a voucher may have one of them in common."""
    mailbox = mailbox_of(order.email) if order.email else None
    if order.customer_id is not None:
        mailbox = fingerprint(f"customer {order.customer_id}")
    return {"mailbox": mailbox, "person_id": order.person_id}


def mailbox_of(email: str) -> str:
    """The fingerprint of a mailbox: ada+soap@example.org and ada@example.org are one. No address is kept here."""
    name, _, domain = email.partition("@")
    return fingerprint(f"{name.partition('+')[0]}@{domain}")
