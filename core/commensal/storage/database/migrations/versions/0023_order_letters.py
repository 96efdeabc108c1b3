"""What an order's customer is told: where it is collected, and links of later e-mails to guests."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0023_order_letters"
down_revision = "0022_audit_client"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("shipping_address", "shipping_note"):
        op.add_column("customer_order", Column(name, Text(), nullable=False, server_default=""))
    op.create_table(
        "order_link",
        Column("secret_hash", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("created_at", Time(), nullable=False),
        ForeignKeyConstraint(["order_id"], ["customer_order.id"], name=op.f("fk_order_link_order_id_customer_order")),
        PrimaryKeyConstraint("secret_hash", name=op.f("pk_order_link")),
        sqlite_strict=True,
    )
    op.create_index("ix_order_link_order_id", "order_link", ["order_id"])
