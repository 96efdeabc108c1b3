"""What senders pay at most who would not drive."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Whole

revision = "transport_0007_most"
down_revision = "transport_0006_plans"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("transport_need", "transport_booking", "transport_quote"):
        op.add_column(table, Column("most", Whole, nullable=True))
