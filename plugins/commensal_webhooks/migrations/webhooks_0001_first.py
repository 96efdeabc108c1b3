"""Hooks and deliveries."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Json, Time, Whole

revision = "webhooks_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhooks_hook",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("url", Text(), nullable=False),
        Column("events", Json(), nullable=False),
        Column("personal", Flag(), nullable=False),
        Column("secret", Text(), nullable=False),
        Column("old_secret", Text(), nullable=True),
        Column("old_until", Time(), nullable=True),
        Column("enabled", Flag(), nullable=False),
        Column("off_because", Text(), nullable=False),
        Column("failures", Whole, nullable=False),
        Column("failing_since", Time(), nullable=True),
        Column("held_until", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("off_because IN ('', 'gone', 'failing')", name=op.f("ck_webhooks_hook_off_because_known")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_webhooks_hook_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_webhooks_hook")),
        sqlite_strict=True,
    )
    op.create_index("ix_webhooks_hook_enterprise", "webhooks_hook", ["enterprise_id", "id"], unique=False)
    op.create_table(
        "webhooks_delivery",
        Column("id", Text(), nullable=False),
        Column("hook_id", Text(), nullable=False),
        Column("event_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("body", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("tries", Whole, nullable=False),
        Column("status", Whole, nullable=True),
        Column("error", Text(), nullable=False),
        Column("due_at", Time(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("finished_at", Time(), nullable=True),
        CheckConstraint(
            "state IN ('waiting', 'delivered', 'parked', 'dropped')", name=op.f("ck_webhooks_delivery_state_known")
        ),
        ForeignKeyConstraint(["hook_id"], ["webhooks_hook.id"], name=op.f("fk_webhooks_delivery_hook_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_webhooks_delivery")),
        UniqueConstraint("hook_id", "event_id", name=op.f("uq_webhooks_delivery_hook_id_event_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_webhooks_delivery_created_at"), "webhooks_delivery", ["created_at"], unique=False)
