"""Balances and the ledger."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole, append_only_ddl

revision = "account_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_balance",
        Column("enterprise_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("balance", Whole, nullable=False),
        Column("minimum", Whole, nullable=True),
        Column("opened_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_account_balance_enterprise_id")),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_account_balance_customer_id")),
        PrimaryKeyConstraint("enterprise_id", "customer_id", name=op.f("pk_account_balance")),
        sqlite_strict=True,
    )
    op.create_table(
        "account_entry",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("at", Time(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("balance", Whole, nullable=False),
        Column("payment_id", Text(), nullable=True),
        Column("order_number", Whole, nullable=True),
        Column("note", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        CheckConstraint(
            "kind IN ('paid in', 'order', 'given back', 'paid out', 'correction')",
            name=op.f("ck_account_entry_kind_known"),
        ),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_account_entry_enterprise_id")),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_account_entry_customer_id")),
        ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_account_entry_payment_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_account_entry")),
        UniqueConstraint("payment_id", name=op.f("uq_account_entry_payment_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_account_entry_customer", "account_entry", ["enterprise_id", "customer_id", "id"], unique=False)
    for statement in append_only_ddl("account_entry", op.get_bind().dialect.name):
        op.execute(statement)
