"""EntryQuery of bank statements."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole

revision = "bank_transfer_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_transfer_entry",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("booked_on", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("payer", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("payment_id", Text(), nullable=True),
        Column("settled_by", Text(), nullable=True),
        Column("created_at", Time(), nullable=False),
        CheckConstraint("state IN ('open', 'matched', 'ignored')", name=op.f("ck_bank_transfer_entry_state_known")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_bank_transfer_entry_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_bank_transfer_entry_order_id")),
        ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_bank_transfer_entry_payment_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_bank_transfer_entry")),
        UniqueConstraint("enterprise_id", "key", name=op.f("uq_bank_transfer_entry_enterprise_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_bank_transfer_entry_state", "bank_transfer_entry", ["enterprise_id", "state", "id"], unique=False
    )
