"""A sale that was closed early keeps the closing that was planned: its rhythm and its clones follow that."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Time

revision = "0028_planned_closing"
down_revision = "0027_mailbox_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("coordination", "sale_session"):
        op.add_column(table, Column("planned_closes_at", Time(), nullable=True))
