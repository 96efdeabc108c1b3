"""A sale can open at another moment for once: its rhythm keeps the plan."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Time

revision = "0081_planned_opening"
down_revision = "0080_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("coordination", Column("planned_opens_at", Time()))
