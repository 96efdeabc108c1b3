"""Where products come from: countries and regions of DFC."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json

revision = "0046_origins"
down_revision = "0045_reminders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplied_product", Column("origins", Json(), nullable=False, server_default="[]"))
