"""Accounts of suppliers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal import Time

revision = "bank_transfer_0004_payees"
down_revision = "bank_transfer_0003_rests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_transfer_payee",
        Column("enterprise_id", Text(), nullable=False),
        Column("supplier_id", Text(), nullable=False),
        Column("holder", Text(), nullable=False),
        Column("iban", Text(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_bank_transfer_payee_enterprise_id")),
        ForeignKeyConstraint(["supplier_id"], ["enterprise.id"], name=op.f("fk_bank_transfer_payee_supplier_id")),
        PrimaryKeyConstraint("enterprise_id", "supplier_id", name=op.f("pk_bank_transfer_payee")),
        sqlite_strict=True,
    )
