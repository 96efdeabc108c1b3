"""A cancelled order says whether its goods went back on sale: what the hub lost is owed to its suppliers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Flag

revision = "0031_restocked"
down_revision = "0030_invitations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer_order", Column("restocked", Flag(), nullable=True))
