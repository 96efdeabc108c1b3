"""Debits of statements: what was paid to suppliers and given back to customers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Flag, Time, Whole

revision = "bank_transfer_0005_debits"
down_revision = "bank_transfer_0004_payees"
branch_labels = None
depends_on = None

_TABLE = "bank_transfer_debit"


def upgrade() -> None:
    texts = (Column(name, Text(), nullable=False) for name in ("id", "enterprise_id", "key", "booked_on"))
    more = (Column(name, Text(), nullable=False) for name in ("currency", "payee", "text", "state"))
    op.create_table(
        _TABLE,
        *texts,
        Column("amount", Whole, nullable=False),
        *more,
        Column("supplier_payment_id", Text(), nullable=True),
        Column("payment_id", Text(), nullable=True),
        Column("recorded", Flag(), nullable=False),
        Column("settled_by", Text(), nullable=True),
        Column("created_at", Time(), nullable=False),
        CheckConstraint("state IN ('open', 'matched', 'ignored')", name=op.f(f"ck_{_TABLE}_state")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f(f"fk_{_TABLE}_enterprise_id")),
        ForeignKeyConstraint(
            ["supplier_payment_id"], ["supplier_payment.id"], name=op.f(f"fk_{_TABLE}_supplier_payment_id")
        ),
        ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f(f"fk_{_TABLE}_payment_id")),
        PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        UniqueConstraint("enterprise_id", "key", name=op.f(f"uq_{_TABLE}_enterprise_id_key")),
        UniqueConstraint("supplier_payment_id", name=op.f(f"uq_{_TABLE}_supplier_payment_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_bank_transfer_debit_state", _TABLE, ["enterprise_id", "state", "id"])
