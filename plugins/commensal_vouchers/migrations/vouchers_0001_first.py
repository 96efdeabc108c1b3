"""Codes, their uses, and the movements of gift cards."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Exact, Flag, Json, Time, Whole, append_only_ddl

revision = "vouchers_0001_first"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _vouchers()
    _uses()
    _movements()


def _vouchers() -> None:
    op.create_table(
        "vouchers_voucher",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("code", Text(), nullable=False),
        Column("kind", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("currency", Text(), nullable=False),
        Column("amount", Whole, nullable=True),
        Column("percent", Exact(), nullable=True),
        Column("most", Whole, nullable=True),
        Column("balance", Whole, nullable=True),
        Column("valid_from", Time(), nullable=True),
        Column("valid_until", Time(), nullable=True),
        Column("minimum", Whole, nullable=False),
        Column("once", Flag(), nullable=False),
        Column("confirmed", Flag(), nullable=False),
        Column("alone", Flag(), nullable=False),
        Column("category_ids", Json(), nullable=False),
        Column("product_types", Json(), nullable=False),
        Column("most_uses", Whole, nullable=True),
        Column("used", Whole, nullable=False),
        Column("batch_id", Text(), nullable=True),
        Column("archived_at", Time(), nullable=True),
        Column("created_at", Time(), nullable=False),
        Column("version", Whole, nullable=False),
        CheckConstraint("kind IN ('amount', 'percent', 'card')", name=op.f("ck_vouchers_voucher_kind_known")),
        CheckConstraint(
            "used >= 0 AND (most_uses IS NULL OR used <= most_uses)",
            name=op.f("ck_vouchers_voucher_not_used_too_often"),
        ),
        CheckConstraint(
            "(kind = 'card') = (balance IS NOT NULL)", name=op.f("ck_vouchers_voucher_only_cards_have_a_balance")
        ),
        CheckConstraint("balance IS NULL OR balance >= 0", name=op.f("ck_vouchers_voucher_not_overspent")),
        ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_vouchers_voucher_enterprise_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_vouchers_voucher")),
        UniqueConstraint("enterprise_id", "code", name=op.f("uq_vouchers_voucher_enterprise_id_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_vouchers_voucher_batch", "vouchers_voucher", ["batch_id"], unique=False)


def _uses() -> None:
    op.create_table(
        "vouchers_use",
        Column("voucher_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("mailbox", Text(), nullable=True),
        Column("person_id", Text(), nullable=True),
        Column("at", Time(), nullable=False),
        ForeignKeyConstraint(["voucher_id"], ["vouchers_voucher.id"], name=op.f("fk_vouchers_use_voucher_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_vouchers_use_order_id")),
        ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_vouchers_use_person_id")),
        PrimaryKeyConstraint("voucher_id", "order_id", name=op.f("pk_vouchers_use")),
        UniqueConstraint("voucher_id", "mailbox", name=op.f("uq_vouchers_use_voucher_id_mailbox")),
        UniqueConstraint("voucher_id", "person_id", name=op.f("uq_vouchers_use_voucher_id_person_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_vouchers_use_order", "vouchers_use", ["order_id"], unique=False)
    op.create_index(op.f("ix_vouchers_use_person_id"), "vouchers_use", ["person_id"], unique=False)


def _movements() -> None:
    op.create_table(
        "vouchers_movement",
        Column("id", Text(), nullable=False),
        Column("voucher_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("amount", Whole, nullable=False),
        Column("note", Text(), nullable=False),
        Column("person_id", Text(), nullable=True),
        Column("at", Time(), nullable=False),
        CheckConstraint("amount <> 0", name=op.f("ck_vouchers_movement_amount_moves")),
        ForeignKeyConstraint(["voucher_id"], ["vouchers_voucher.id"], name=op.f("fk_vouchers_movement_voucher_id")),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_vouchers_movement_order_id")),
        PrimaryKeyConstraint("id", name=op.f("pk_vouchers_movement")),
        sqlite_strict=True,
    )
    op.create_index("ix_vouchers_movement_voucher", "vouchers_movement", ["voucher_id", "id"], unique=False)
    op.create_index(op.f("ix_vouchers_movement_order_id"), "vouchers_movement", ["order_id"], unique=False)
    for statement in append_only_ddl("vouchers_movement", op.get_bind().dialect.name):
        op.execute(statement)
