"""Orders of platforms that speak DFC."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, UniqueConstraint

from commensal import Time, Whole

revision = "federation_0011_platform_orders"
down_revision = "federation_0010_platforms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_platform_order",
        Column("id", Text(), nullable=False),
        Column("enterprise_id", Text(), nullable=False),
        Column("sender", Text(), nullable=False),
        Column("key", Text(), nullable=False),
        Column("said_hash", Text(), nullable=False),
        Column("order_id", Text(), nullable=True),
        Column("ordered_by", Text(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        Column("changed_at", Time(), nullable=False),
        CheckConstraint(
            "state IN ('Held', 'Complete', 'Cancelled')", name=op.f("ck_federation_platform_order_state_known")
        ),
        ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_federation_platform_order_enterprise_id_enterprise")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_platform_order")),
        UniqueConstraint(
            "enterprise_id", "sender", "key", name=op.f("uq_federation_platform_order_enterprise_id_sender_key")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_federation_platform_order_order_id"), "federation_platform_order", ["order_id"], unique=False
    )
    op.create_table(
        "federation_platform_line",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("item_id", Text(), nullable=False),
        Column("offer_iri", Text(), nullable=False),
        Column("wanted", Whole, nullable=False),
        Column("reason", Text(), nullable=False),
        ForeignKeyConstraint(
            ["order_id"],
            ["federation_platform_order.id"],
            name=op.f("fk_federation_platform_line_order_id_federation_platform_order"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_federation_platform_line")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_federation_platform_line_order_id"), "federation_platform_line", ["order_id"], unique=False
    )
