"""Gift cards that customers buy in the shop."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole

revision = "vouchers_0003_sales"
down_revision = "vouchers_0002_by_proof"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vouchers_sale",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("language", Text(), nullable=False),
        Column("giver", Text(), nullable=False),
        Column("recipient", Text(), nullable=False),
        Column("message", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("card_id", Text(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("issued_at", Time(), nullable=True),
        Column("ended_at", Time(), nullable=True),
        CheckConstraint("amount > 0", name=op.f("ck_vouchers_sale_amount_positive")),
        CheckConstraint("(card_id IS NULL) = (issued_at IS NULL)", name=op.f("ck_vouchers_sale_issued_with_its_card")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_vouchers_sale_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_vouchers_sale_order_id")),
        ForeignKeyConstraint(["card_id"], ["vouchers_voucher.id"], name=op.f("fk_vouchers_sale_card_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_vouchers_sale")),
        UniqueConstraint("enterprise_id", "code", name=op.f("uq_vouchers_sale_enterprise_id_code")),
        UniqueConstraint("card_id", name=op.f("uq_vouchers_sale_card_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_vouchers_sale_order_id"), "vouchers_sale", ["order_id"], unique=False)
