"""Tables of webhooks: the hooks of enterprises, and the messages sent to them."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from commensal import DERIVED, PERSONAL, SECRET, Flag, Json, Time, Whole, at_most_ahead, checked_in, metadata, untraced

webhooks_hook = Table(
    "webhooks_hook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise_id", Text, ForeignKey("enterprise.id"), nullable=False),
    Column("url", Text, nullable=False, info=SECRET),
    Column("events", Json, nullable=False),  # subscribed kinds; empty: every kind
    Column("personal", Flag, nullable=False),  # with personal data of customers
    Column(
        "secret", Text, nullable=False, info=SECRET
    ),  # as Standard Webhooks write it; it signs, so it cannot be kept as a hash
    Column("old_secret", Text, info=SECRET),  # signs too until `old_until`
    Column("old_until", Time),
    Column("enabled", Flag, nullable=False),
    Column("off_because", Text, nullable=False),  # why it was switched off by us
    Column("failures", Whole, nullable=False, info=DERIVED),  # since the last success
    Column("failing_since", Time, info=DERIVED),
    Column(
        "held_until", Time, info={**DERIVED, **at_most_ahead(timedelta(days=1))}
    ),  # nothing is sent before, so that one dead address costs one time limit and not many
    Column("created_at", Time, nullable=False),
    Column("version", Whole, nullable=False),  # of what the enterprise sets; deliveries leave it alone
    checked_in("off_because", ("", "gone", "failing")),
    Index("ix_webhooks_hook_enterprise", "enterprise_id", "id"),
    sqlite_strict=True,
)

webhooks_delivery = Table(
    "webhooks_delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hook_id", Text, ForeignKey("webhooks_hook.id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False, info=PERSONAL),  # as it is signed and sent, byte for byte
    Column("state", Text, nullable=False),
    Column("tries", Whole, nullable=False),
    Column("status", Whole),  # of the last answer
    Column("error", Text, nullable=False),  # of the last try
    Column("due_at", Time, nullable=False, info=at_most_ahead(timedelta(days=1))),
    Column("created_at", Time, nullable=False, index=True),
    Column("finished_at", Time),
    UniqueConstraint("hook_id", "event_id"),
    checked_in("state", ("waiting", "delivered", "parked", "dropped")),
    sqlite_strict=True,
    info=untraced("what was sent follows from what is traced"),
)
