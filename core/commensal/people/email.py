"""E-mail addresses, as people type them and as they are kept."""

from __future__ import annotations

from functools import lru_cache

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import EMAIL_MAX_LENGTH

from ..base.errors import Problem


def read_email(text: str) -> str | Problem:
    """The address in the form in which it is kept and looked up: lower case, its domain in ASCII (IDNA).

    Returns a `Problem` for a malformed address. Does not ask whether the domain exists: only a delivered e-mail proves
    an address.
    """
    address = text.strip()
    normalised = _normalise(address) if len(address) <= EMAIL_MAX_LENGTH else None
    if normalised is None:
        return Problem("email", "{text} is not an e-mail address.", "/email", {"text": address[:80]})
    return normalised


@lru_cache(2_048)  # the same people shop every week, and an order reads its address several times
def _normalise(address: str) -> str | None:
    try:
        validated = validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return (validated.ascii_email or validated.normalized).lower()


# Mailboxes: the common form of several spellings of an e-mail address. For limits only, never for sending mails.

_DOTLESS = ("gmail.com", "googlemail.com")


def mailbox_of(email: str) -> str:
    """The address without the parts that its owner may vary: a plus sign and what follows, dots that Gmail ignores."""
    local, _, domain = email.rpartition("@")
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '') if domain in _DOTLESS else local}@{domain}"
