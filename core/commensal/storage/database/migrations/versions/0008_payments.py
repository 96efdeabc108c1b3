"""First tables of payments."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.append_only import append_only_ddl
from commensal.storage.database.types import Json, Time, Whole

revision = "0008_payments"
down_revision = "0007_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payment",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("method", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("idempotency_key", Text(), nullable=False),
        Column("reference", Text(), nullable=False),
        Column("instructions", Json(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint("kind IN ('payment', 'refund')", name=op.f("ck_payment_kind_known")),
        CheckConstraint(
            "state IN ('Started', 'Pending', 'Done', 'Failed', 'Cancelled')", name=op.f("ck_payment_state_known")
        ),
        CheckConstraint("amount > 0", name=op.f("ck_payment_amount_positive")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_payment_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_payment_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        UniqueConstraint("enterprise_id", "idempotency_key", name=op.f("uq_payment_enterprise_id_idempotency_key")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_order_id"), "payment", ["order_id"], unique=False)
    op.create_table(
        "payment_journal",
        Column("enterprise_id", Text(), nullable=False),
        Column("sequence", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("payment_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("order_number", Whole, nullable=False),
        Column("method", Text(), nullable=False),
        Column("amount", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("corrects", Whole, nullable=True),
        Column("previous_hash", Text(), nullable=False),
        Column("hash", Text(), nullable=False),
        CheckConstraint("kind IN ('payment', 'refund', 'correction')", name=op.f("ck_payment_journal_kind_known")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_payment_journal_enterprise_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_payment_journal_order_id")),
        ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_payment_journal_payment_id")),
        PrimaryKeyConstraint("enterprise_id", "sequence", name=op.f("pk_payment_journal")),
        UniqueConstraint("enterprise_id", "corrects", name=op.f("uq_payment_journal_enterprise_id_corrects")),
        UniqueConstraint("enterprise_id", "previous_hash", name=op.f("uq_payment_journal_enterprise_id_previous_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_payment_journal_order", "payment_journal", ["order_id"], unique=False)
    for table in ("payment_journal",):
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)
