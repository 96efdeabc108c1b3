"""Whether a member may take money beyond what their role allows."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Flag

revision = "0040_takes_money"
down_revision = "0039_customers_told"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enterprise_member", Column("takes_money", Flag(), nullable=False, server_default="0"))
