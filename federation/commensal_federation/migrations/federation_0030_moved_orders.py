"""What was signed about the orders of an enterprise is kept when it moves away.

What was signed about orders of enterprises that have moved before is lost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Json

revision = "federation_0030_moved_orders"
down_revision = "federation_0029_order_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_moved_order",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enterprise_id", sa.Text(), nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("items", Json, nullable=False),
        sa.Column("messages", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_federation_moved_order")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_moved_order_enterprise_id"), "federation_moved_order", ["enterprise_id"])
    op.create_table(
        "federation_moved_order_statement",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["federation_moved_order.id"],
            name=op.f("fk_federation_moved_order_statement_order_id_federation_moved_order"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "statement", name=op.f("pk_federation_moved_order_statement")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_federation_moved_order_statement_statement"), "federation_moved_order_statement", ["statement"]
    )
