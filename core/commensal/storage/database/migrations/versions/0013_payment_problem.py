"""Refunds know what they give back, payments are followed up, and what needs a person is kept."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Time, Whole

revision = "0013_payment_problem"
down_revision = "0012_plugin_failure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite adds a reference only together with its column.
    op.execute("ALTER TABLE payment ADD COLUMN refunds TEXT CONSTRAINT fk_payment_refunds REFERENCES payment (id)")
    op.add_column("payment", Column("asked", Whole, nullable=False, server_default="0"))
    op.create_table(
        "payment_problem",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("plugin", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("payment_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("amount", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("reference", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("settled_at", Time(), nullable=True),
        Column("settled_by", Text(), nullable=True),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_payment_problem_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_payment_problem_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_payment_problem")),
        UniqueConstraint(
            "enterprise_id", "code", "payment_id", "amount", "currency", "reference", name="uq_payment_problem_said"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_payment_problem_open", "payment_problem", ["enterprise_id", "settled_at"], unique=False)
