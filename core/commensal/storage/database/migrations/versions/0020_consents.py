"""What customers have agreed to: the text that was shown, when, and until when it stood."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0020_consents"
down_revision = "0019_upkeep"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_consent",
        Column("id", Text(), nullable=False),
        Column("order_id", Text(), nullable=False),
        Column("request", Text(), nullable=False),
        Column("text", Text(), nullable=False),
        Column("given_at", Time(), nullable=False),
        Column("withdrawn_at", Time(), nullable=True),
        ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_consent_order_id_customer_order")
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_order_consent")),
        sqlite_strict=True,
    )
    op.create_index("ix_order_consent_order", "order_consent", ["order_id", "request"])
