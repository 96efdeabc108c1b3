"""The newest signed messages about an order are kept as long as the order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Time, Whole

revision = "federation_0029_order_messages"
down_revision = "federation_0028_statements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_order_message",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("key_version", Whole, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.CheckConstraint(
            "type IN ('OrderUpdate', 'OrderAnswer')", name=op.f("ck_federation_order_message_type_known")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["federation_order.id"],
            name=op.f("fk_federation_order_message_order_id_federation_order"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "type", name=op.f("pk_federation_order_message")),
        sqlite_strict=True,
    )
