"""Slots."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "delivery_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_slot",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("zone", Text(), nullable=False),
        Column("begins_at", Time(), nullable=False),
        Column("ends_at", Time(), nullable=False),
        Column("timezone", Text(), nullable=False),
        Column("capacity", Whole, nullable=True),
        Column("taken", Whole, nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("ends_at > begins_at", name=op.f("ck_delivery_slot_ends_after_beginning")),
        CheckConstraint(
            "taken >= 0 AND (capacity IS NULL OR taken <= capacity)", name=op.f("ck_delivery_slot_not_overbooked")
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_delivery_slot_enterprise_id")),
        ForeignKeyConstraint(["session_id"], ["sale_session.id"], name=op.f("fk_delivery_slot_session_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_delivery_slot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_delivery_slot_enterprise_id"), "delivery_slot", ["enterprise_id"], unique=False)
    op.create_index("ix_delivery_slot_session", "delivery_slot", ["session_id", "begins_at"], unique=False)
