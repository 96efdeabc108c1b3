"""Mailboxes: the common form of several spellings of an e-mail address. For limits only, never for sending mails."""

from __future__ import annotations

_DOTLESS = ("gmail.com", "googlemail.com")


def mailbox_of(email: str) -> str:
    """The address without the parts that its owner may vary: a plus sign and what follows, dots that Gmail ignores."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '') if domain in _DOTLESS else local}@{domain}"
