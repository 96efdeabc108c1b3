"""How enterprises let guests order, and until when the orders of guests stand."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time, Whole

revision = "0029_guests"
down_revision = "0028_planned_closing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guest_policy",
        Column("enterprise_id", Text(), nullable=False),
        Column("guests", Text(), nullable=False),
        Column("largest_unpaid", Whole, nullable=True),
        Column("orders_of_mailbox", Whole, nullable=False),
        Column("orders_of_network", Whole, nullable=False),
        Column("confirm_minutes", Whole, nullable=False),
        Column("unpaid_hours", Whole, nullable=False),
        CheckConstraint("guests IN ('no', 'link', 'yes')", name=op.f("ck_guest_policy_guests_known")),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_guest_policy_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("enterprise_id", name=op.f("pk_guest_policy")),
        sqlite_strict=True,
    )
    op.create_table(
        "guest_order",
        Column("order_id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("mailbox", Text(), nullable=False),
        Column("network", Text(), nullable=False),
        Column("placed_at", Time(), nullable=False),
        Column("confirm_by", Time(), nullable=True),
        Column("pay_by", Time(), nullable=True),
        Column("expired_at", Time(), nullable=True),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_guest_order_order_id_customer_order")),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_guest_order_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("order_id", name=op.f("pk_guest_order")),
        sqlite_strict=True,
    )
    op.create_index("ix_guest_order_mailbox", "guest_order", ["enterprise_id", "mailbox"])
    op.create_index("ix_guest_order_network", "guest_order", ["enterprise_id", "network"])
    op.create_index("ix_guest_order_placed", "guest_order", ["placed_at"])
