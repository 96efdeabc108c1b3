"""A distribution that was moved to another day keeps the planned one, which the next sale of the series follows."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Time

revision = "0078_planned_distribution"
down_revision = "0077_merged_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("planned_begins_at", "planned_ends_at"):
        op.add_column("sale_session", Column(name, Time(), nullable=True))
