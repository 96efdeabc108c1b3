"""Plugins declare fields of orders and customers; their values stand with the order and the customer."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database import Json

revision = "0038_order_fields"
down_revision = "0037_supply"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customer_order", "customer"):
        op.add_column(table, Column("plugin_fields", Json(), nullable=False, server_default="{}"))
