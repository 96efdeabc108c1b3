"""E-mail addresses, as people type them and as they are kept."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from ...base.errors import Problem


def read_email(text: str) -> str | Problem:
    """The address in the form in which it is kept and looked up: lower case, its domain in ASCII (IDNA).

    Returns a `Problem` for a malformed address. Does not ask whether the domain exists: only a delivered e-mail proves
    an address.
    """
    try:
        validated = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return Problem("email", "{text} is not an e-mail address.", "/email", {"text": text.strip()[:80]})
    return (validated.ascii_email or validated.normalized).lower()
