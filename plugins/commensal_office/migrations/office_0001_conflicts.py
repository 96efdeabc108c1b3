"""Conflicts between telephones at the hand-out."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "office_0001_conflicts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "office_conflict",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("method", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("taken_at", Time(), nullable=False),
        Column("recorded_at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        Column("settled_at", Time(), nullable=True),
        Column("settled_by", Text(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_office_conflict_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_office_conflict_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_office_conflict")),
        sqlite_strict=True,
    )
    op.create_index("ix_office_conflict_enterprise", "office_conflict", ["enterprise_id", "settled_at"])
