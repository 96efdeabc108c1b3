"""E-mail addresses, as people type them and as they are kept."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from ...base.errors import Problem


def read_email(text: str) -> str | Problem:
    """The address in small letters, its domain in ASCII (IDNA): so it is kept and looked up. Or what is wrong with it.

    Whether the domain exists is not asked: only an e-mail that arrives proves an address.
    """
    try:
        found = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return Problem("email", "{text} is not an e-mail address.", "/email", {"text": text.strip()[:80]})
    return (found.ascii_email or found.normalized).lower()
