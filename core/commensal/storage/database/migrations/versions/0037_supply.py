"""What enterprises order from suppliers of this instance at each cut-off, and a log of the e-mails about orders."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal.storage.database.types import Exact, Flag, Time, Whole

revision = "0037_supply"
down_revision = "0036_purchase_terms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_policies()
    _create_parts()
    _create_orders()
    _create_order_lines()
    _create_mails()


def _refers(table: str, column: str, target: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def _create_policies() -> None:
    op.create_table(
        "closing_policy",
        Column("enterprise_id", Text(), nullable=False),
        Column("telling", Text(), nullable=False),
        Column("shortage", Text(), nullable=False),
        CheckConstraint("telling IN ('at the cut-off', 'by hand')", name=op.f("ck_closing_policy_telling_known")),
        CheckConstraint(
            "shortage IN ('newest first', 'pro rata', 'by hand')", name=op.f("ck_closing_policy_shortage_known")
        ),
        _refers("closing_policy", "enterprise_id", "enterprise"),
        PrimaryKeyConstraint("enterprise_id", name=op.f("pk_closing_policy")),
        sqlite_strict=True,
    )


def _create_parts() -> None:
    op.create_table(
        "sale_part",
        Column("session_id", Text(), nullable=False),
        Column("supplier_id", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("closed_at", Time(), nullable=False),
        Column("told_at", Time(), nullable=True),
        CheckConstraint("state IN ('closed', 'told')", name=op.f("ck_sale_part_state_known")),
        _refers("sale_part", "session_id", "sale_session"),
        _refers("sale_part", "supplier_id", "enterprise"),
        PrimaryKeyConstraint("session_id", "supplier_id", name=op.f("pk_sale_part")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sale_part_supplier_id"), "sale_part", ["supplier_id"])
    op.create_table(
        "sale_closing",
        Column("session_id", Text(), nullable=False),
        Column("noticed_at", Time(), nullable=False),
        PrimaryKeyConstraint("session_id", name=op.f("pk_sale_closing")),
        sqlite_strict=True,
    )


def _create_orders() -> None:
    op.create_table(
        "purchase_order",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("supplier_id", Text(), nullable=False),
        Column("session_id", Text(), nullable=False),
        Column("number", Whole, nullable=False),
        Column("revision", Whole, nullable=False),
        Column("currency", Text(), nullable=False),
        Column("prices_include_vat", Flag(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("mail_state", Text(), nullable=False),
        Column("placed_at", Time(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        Column("compared_at", Time(), nullable=False),
        Column("answered_at", Time(), nullable=True),
        Column("version", Whole, nullable=False),
        CheckConstraint("state IN ('placed', 'confirmed', 'shortened')", name=op.f("ck_purchase_order_state_known")),
        CheckConstraint(
            "mail_state IN ('no address', 'waiting', 'sent', 'failed')", name=op.f("ck_purchase_order_mail_state_known")
        ),
        _refers("purchase_order", "enterprise_id", "enterprise"),
        _refers("purchase_order", "supplier_id", "enterprise"),
        _refers("purchase_order", "session_id", "sale_session"),
        PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        UniqueConstraint("enterprise_id", "number", name=op.f("uq_purchase_order_enterprise_id_number")),
        UniqueConstraint("session_id", "supplier_id", name=op.f("uq_purchase_order_session_id_supplier_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_purchase_order_supplier", "purchase_order", ["supplier_id", "id"])


def _create_order_lines() -> None:
    op.create_table(
        "purchase_order_line",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("product_id", Text(), nullable=False),
        Column("name", Text(), nullable=False),
        Column("unit_quantity", Exact(), nullable=False),
        Column("unit", Text(), nullable=False),
        Column("price", Whole, nullable=False),
        Column("vat_rate", Exact(), nullable=False),
        Column("quantity", Whole, nullable=False),
        Column("counted", Whole, nullable=False),
        Column("confirmed", Whole, nullable=True),
        Column("reason", Text(), nullable=False),
        CheckConstraint("quantity >= 0", name=op.f("ck_purchase_order_line_quantity_not_negative")),
        CheckConstraint(
            "confirmed >= 0 AND confirmed <= quantity", name=op.f("ck_purchase_order_line_confirmed_in_quantity")
        ),
        _refers("purchase_order_line", "order_id", "purchase_order"),
        _refers("purchase_order_line", "product_id", "supplied_product"),
        PrimaryKeyConstraint("id", name=op.f("pk_purchase_order_line")),
        UniqueConstraint(
            "order_id",
            "product_id",
            "unit_quantity",
            "unit",
            "price",
            "vat_rate",
            name=op.f("uq_purchase_order_line_key"),
        ),
        sqlite_strict=True,
    )


def _create_mails() -> None:
    op.create_table(
        "sent_mail",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("purchase_order_id", Text(), nullable=True),
        Column("kind", Text(), nullable=False),
        Column("to", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("error", Text(), nullable=False),
        Column("attempts", Whole, nullable=False),
        Column("at", Time(), nullable=False),
        CheckConstraint("state IN ('sent', 'failed')", name=op.f("ck_sent_mail_state_known")),
        _refers("sent_mail", "enterprise_id", "enterprise"),
        _refers("sent_mail", "order_id", "customer_order"),
        _refers("sent_mail", "purchase_order_id", "purchase_order"),
        PrimaryKeyConstraint("id", name=op.f("pk_sent_mail")),
        sqlite_strict=True,
    )
    for column in ("order_id", "purchase_order_id", "at"):
        op.create_index(op.f(f"ix_sent_mail_{column}"), "sent_mail", [column])
