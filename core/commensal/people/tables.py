"""Tables of people: who they are, and how they prove it."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from ..store import Flag, Json, Time, Whole, checked_in, metadata

person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # lower case
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False, default=""),
    Column("language", Text, nullable=False),
    Column("password_hash", Text),  # argon2id; none: logs in by a link only
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
    Column("hash", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("agent", Text, nullable=False),  # which browser, so that a person recognises it
    Column("created_at", Time, nullable=False),
    Column("seen_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("revoked_at", Time),
    sqlite_strict=True,
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id")),  # none: all that the person may reach
    Column("name", Text, nullable=False),
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
    Column("hash", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    checked_in("purpose", ("confirm", "reset")),
    Index("ix_email_code_expires", "expires_at"),
    sqlite_strict=True,
)

# Log-ins that failed, known address or not, so that guessing slows down alike. The address itself is not kept.
log_in_failure = Table(
    "log_in_failure",
    metadata,
    Column("email_hash", Text, primary_key=True),  # SHA-256
    Column("failures", Whole, nullable=False),
    Column("last_at", Time, nullable=False, index=True),
    sqlite_strict=True,
)
