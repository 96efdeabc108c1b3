"""Reminders of what is still to be paid."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0045_reminders"
down_revision = "0044_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment_reminder",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_payment_reminder_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_payment_reminder")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_reminder_order_id"), "payment_reminder", ["order_id"])
