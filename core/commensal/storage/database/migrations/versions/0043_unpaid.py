"""An index of orders that are not paid yet, over all sales of a shop."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0043_unpaid"
down_revision = "0042_legal_texts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unpaid = text("payment_state = 'Unpaid'")
    op.create_index(
        "ix_customer_order_unpaid",
        "customer_order",
        ["enterprise_id", "number"],
        sqlite_where=unpaid,
        postgresql_where=unpaid,
    )
