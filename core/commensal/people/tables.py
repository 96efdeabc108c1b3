"""Tables of people: accounts, sessions, tokens and other means of logging in."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from ..storage.database import (
    DERIVED,
    PERSONAL,
    SECRET,
    Flag,
    Json,
    Time,
    Whole,
    at_most_ahead,
    checked_in,
    metadata,
    untraced,
)

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True, info=PERSONAL),  # lower case
    Column("name", Text, nullable=False, info=PERSONAL),
    Column("phone", Text, nullable=False, default="", info=PERSONAL),
    Column("language", Text, nullable=False),
    Column("password_hash", Text, info=SECRET),  # argon2id; none: logs in by a link only
    Column("is_operator", Flag, nullable=False),  # runs the instance
    Column("confirmed_at", Time),  # the e-mail address
    Column("disabled_at", Time),
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),
    sqlite_strict=True,
)

# The secret itself is only in the person's browser; the table knows its SHA-256.
person_session = Table(
    "person_session",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("agent", Text, nullable=False, info=PERSONAL),  # which browser, so that a person recognises it
    Column("created_at", Time, nullable=False),
    Column("seen_at", Time, nullable=False, info=DERIVED),
    Column("expires_at", Time, nullable=False),
    Column("revoked_at", Time),
    # With which account elsewhere it began ("oidc:main"), and what that provider calls its own session
    Column("provider", Text, nullable=False, server_default=""),
    Column("provider_session", Text, nullable=False, server_default="", info=SECRET),
    sqlite_strict=True,
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id")),  # none: all that the person may reach
    Column("name", Text, nullable=False, info=PERSONAL),
    Column("scopes", Json, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time),
    Column("revoked_at", Time),
    sqlite_strict=True,
)

# Single-use links sent by e-mail.
email_code = Table(
    "email_code",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("email", Text, nullable=False, info=PERSONAL),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    checked_in("purpose", ("confirm", "reset", "change")),
    Index("ix_email_code_expires", "expires_at"),
    sqlite_strict=True,
    info=untraced("what a code was used for is traced"),
)

# The new e-mail address of a person, until a code proves it. One row a person: a later request replaces an earlier one.
email_change = Table(
    "email_change",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("email", Text, nullable=False, info=PERSONAL),
    Column("asked_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
)

# Failed tries to log in by source (see `login_throttle.py`), for addresses with and without an account, so that both
# slow down alike. The address itself is not kept.
log_in_failure = Table(
    "log_in_failure",
    metadata,
    Column("email_hash", Text, primary_key=True, info=PERSONAL),  # SHA-256
    Column("source", Text, primary_key=True, info=PERSONAL),  # a network, a browser, all networks, or codes
    Column("failures", Whole, nullable=False),
    Column("last_at", Time, nullable=False, index=True),
    Column(
        "next_at", Time, nullable=False, info=at_most_ahead(timedelta(minutes=15))
    ),  # the next try is refused before
    sqlite_strict=True,
    info=untraced("a log-in that fails is traced by itself"),
)

# Telephone numbers of people, until a code proves that a channel of a plugin reaches them, and from then on.
phone_proof = Table(
    "phone_proof",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("plugin", Text, primary_key=True),
    Column("phone", Text, primary_key=True, info=PERSONAL),  # E.164
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),  # whose channel sends the code
    Column("code_hash", Text, info=SECRET),
    Column("tries", Whole, nullable=False),
    Column("asked_at", Time, nullable=False),
    Column("proven_at", Time),
    Index("ix_phone_proof_phone", "phone", "asked_at"),
    Index("ix_phone_proof_enterprise", "enterprise_id", "asked_at"),
    sqlite_strict=True,
)

# Browsers with which a person has logged in before. The secret gives no access.
known_browser = Table(
    "known_browser",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
    info=untraced("a log-in is traced by itself"),
)

# The secret of a second factor, from which codes are computed. Until it is confirmed, log-ins need no code.
person_second_factor = Table(
    "person_second_factor",
    metadata,
    Column("person_id", Text, ForeignKey("person.id"), primary_key=True),
    Column("secret", Text, nullable=False, info=SECRET),  # base 32
    Column("created_at", Time, nullable=False),
    Column("confirmed_at", Time),
    Column("last_step", Whole, nullable=False, info=DERIVED),  # of the last code that was used (RFC 6238)
    sqlite_strict=True,
)

person_recovery_code = Table(
    "person_recovery_code",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", Time, nullable=False),
    Column("used_at", Time),
    sqlite_strict=True,
)

# Log-ins with a right password that wait for a code.
log_in_begun = Table(
    "log_in_begun",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("expires_at", Time, nullable=False, index=True),
    Column("provider", Text, nullable=False, server_default=""),  # as in `person_session`
    Column("provider_session", Text, nullable=False, server_default="", info=SECRET),
    sqlite_strict=True,
    info=untraced("what becomes of it is traced"),
)

# Accounts elsewhere with which a person logs in. Issuer and subject name one for ever.
person_identity = Table(
    "person_identity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("provider", Text, nullable=False),  # plugin:id
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False, info=PERSONAL),
    Column("label", Text, nullable=False, info=PERSONAL),  # what its owner calls it
    Column("linked_at", Time, nullable=False),
    UniqueConstraint("issuer", "subject"),
    sqlite_strict=True,
)

# Browsers that were sent to a provider and are not back yet. The secret is only in the browser's cookie.
log_in_departure = Table(
    "log_in_departure",
    metadata,
    Column("hash", Text, primary_key=True, info=SECRET),
    Column("provider", Text, nullable=False),
    Column("person_id", Text, ForeignKey("person.id"), index=True),  # who connects an account; none: wants to log in
    Column("next_url", Text, nullable=False),
    Column("expires_at", Time, nullable=False, index=True),
    sqlite_strict=True,
    info=untraced("what becomes of it is traced"),
)

# Counts e-mails that a stranger may have caused. An hour, and a day, begins with the first e-mail after the last one.
mailbox_count = Table(
    "mailbox_count",
    metadata,
    Column("mailbox", Text, primary_key=True, info=PERSONAL),  # SHA-256 of the address
    Column("about", Text, primary_key=True),  # see `parts/mail/capping.py`
    Column("hour_began_at", Time, nullable=False, info=at_most_ahead(timedelta())),
    Column("hour_sent", Whole, nullable=False),
    Column("day_began_at", Time, nullable=False, index=True, info=at_most_ahead(timedelta())),
    Column("day_sent", Whole, nullable=False),
    sqlite_strict=True,
    info=untraced("a counter"),
)
