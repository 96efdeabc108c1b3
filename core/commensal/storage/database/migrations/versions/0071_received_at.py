"""Orders to suppliers say when the shop has counted what came."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Time

revision = "0071_received_at"
down_revision = "0070_stock_purchases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("purchase_order", Column("received_at", Time(), nullable=True))
