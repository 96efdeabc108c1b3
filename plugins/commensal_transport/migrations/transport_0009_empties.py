"""Empty crates that are counted at a hand-over."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Whole

revision = "transport_0009_empties"
down_revision = "transport_0008_roads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("transport_event", "transport_conflict"):
        op.add_column(table, Column("empties", Whole, nullable=True))
