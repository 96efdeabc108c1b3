"""Budgets, what they were spent for, and what the funds have paid."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole, append_only_ddl

revision = "solidarity_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "solidarity_budget",
        Column("enterprise_id", Text(), nullable=False),
        Column("programme", Text(), nullable=False),
        Column("year", Whole, nullable=False),
        Column("budget", Whole, nullable=False),
        Column("spent", Whole, nullable=False),
        CheckConstraint("spent >= 0 AND spent <= budget", name=op.f("ck_solidarity_budget_not_overspent")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_solidarity_budget_enterprise_id")),
        PrimaryKeyConstraint("enterprise_id", "programme", "year", name=op.f("pk_solidarity_budget")),
        sqlite_strict=True,
    )
    op.create_table(
        "solidarity_entry",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("programme", Text(), nullable=False),
        Column("year", Whole, nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        CheckConstraint("kind IN ('granted', 'changed', 'given back')", name=op.f("ck_solidarity_entry_kind_known")),
        CheckConstraint("amount <> 0", name=op.f("ck_solidarity_entry_amount_moves")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_solidarity_entry_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_solidarity_entry_order_id")),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_solidarity_entry_customer_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_solidarity_entry")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_solidarity_entry_order_id"), "solidarity_entry", ["order_id"], unique=False)
    customer = ["enterprise_id", "programme", "year", "customer_id"]
    op.create_index("ix_solidarity_entry_customer", "solidarity_entry", customer, unique=False)
    op.create_index("ix_solidarity_entry_at", "solidarity_entry", ["enterprise_id", "programme", "at"], unique=False)
    op.create_table(
        "solidarity_payment",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("programme", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("paid_on", Text(), nullable=False),
        Column("reference", Text(), nullable=False),
        Column("recorded_at", Time(), nullable=False),
        Column("recorded_by", Text(), nullable=True),
        CheckConstraint("amount <> 0", name=op.f("ck_solidarity_payment_amount_moves")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_solidarity_payment_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_solidarity_payment")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_solidarity_payment_programme", "solidarity_payment", ["enterprise_id", "programme", "id"], unique=False
    )
    for table in ("solidarity_entry", "solidarity_payment"):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)
