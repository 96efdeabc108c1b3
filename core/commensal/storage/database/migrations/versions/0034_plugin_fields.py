"""Plugins declare fields of products; their values stand with the product."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database import Json

revision = "0034_plugin_fields"
down_revision = "0033_hub_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplied_product", Column("plugin_fields", Json(), nullable=False, server_default="{}"))
