"""Statements that customers were mailed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time, Whole

revision = "account_0003_statements"
down_revision = "account_0002_notes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_statement_mail",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("customer_id", Text(), nullable=False),
        Column("balance", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("person_id", Text(), nullable=False),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_account_statement_mail_customer_id")),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_account_statement_mail_enterprise_id")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_account_statement_mail")),
        sqlite_strict=True,
    )
    op.create_index("ix_account_statement_mail_customer", "account_statement_mail", ["enterprise_id", "customer_id"])
