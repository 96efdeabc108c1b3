"""By what a customer is told from others who use a voucher that each has once."""

from __future__ import annotations

from commensal import fingerprint


def mailbox_of(email: str) -> str:
    """The fingerprint of a mailbox: ada+soap@example.org and ada@example.org are one. No address is kept here."""
    name, _, domain = email.partition("@")
    return fingerprint(f"{name.partition('+')[0]}@{domain}")
