"""What was decided about money that was taken twice."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "office_0003_decisions"
down_revision = "office_0002_statement_mails"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("office_conflict", Column("decision", Text(), nullable=True))
    op.create_index("ix_office_conflict_order", "office_conflict", ["order_id"])
