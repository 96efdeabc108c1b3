"""Rests of credits that a plugin keeps for the customer."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Whole

revision = "bank_transfer_0003_rests"
down_revision = "bank_transfer_0002_shares"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_transfer_rest",
        Column("entry_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("plugin", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        CheckConstraint("amount > 0", name=op.f("ck_bank_transfer_rest_amount_positive")),
        ForeignKeyConstraint(["entry_id"], ["bank_transfer_entry.id"], name=op.f("fk_bank_transfer_rest_entry_id")),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_bank_transfer_rest_customer_id")),
        PrimaryKeyConstraint("entry_id", name=op.f("pk_bank_transfer_rest")),
        sqlite_strict=True,
    )
