"""Items remember the prices that held before, and an order says what pieces at several prices come to together."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Json, Whole

revision = "federation_0039_prices"
down_revision = "federation_0038_allowance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_item", Column("earlier", Json, nullable=False, server_default="[]"))
    op.add_column("federation_order_line", Column("ordered_amount", Whole, nullable=True))
