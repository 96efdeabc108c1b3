"""Credits that pay several orders."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Whole

revision = "bank_transfer_0002_shares"
down_revision = "bank_transfer_0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_transfer_share",
        Column("entry_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("payment_id", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        ForeignKeyConstraint(["entry_id"], ["bank_transfer_entry.id"], name=op.f("fk_bank_transfer_share_entry_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_bank_transfer_share_order_id")),
        ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_bank_transfer_share_payment_id")),
        PrimaryKeyConstraint("entry_id", "order_id", name=op.f("pk_bank_transfer_share")),
        sqlite_strict=True,
    )
