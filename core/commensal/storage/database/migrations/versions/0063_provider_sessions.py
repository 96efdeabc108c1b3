"""Sessions that began with an account elsewhere know it, so that they can end with it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0063_provider_sessions"
down_revision = "0062_written"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("person_session", "log_in_begun"):
        for name in ("provider", "provider_session"):
            op.add_column(table, Column(name, Text(), nullable=False, server_default=""))
