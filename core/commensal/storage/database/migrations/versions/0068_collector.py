"""Orders name who collects them instead of the customer."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0068_collector"
down_revision = "0067_taken_back_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer_order", Column("collector", Text(), nullable=False, server_default=""))
