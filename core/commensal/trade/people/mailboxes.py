"""Mailboxes: what several spellings of an e-mail address have in common. For limits; mails go to what was typed."""

from __future__ import annotations

_DOTLESS = ("gmail.com", "googlemail.com")


def mailbox_of(email: str) -> str:
    """The address without what its owner may vary: after a plus sign, and dots where the provider ignores them."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '') if domain in _DOTLESS else local}@{domain}"
