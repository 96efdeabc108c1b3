"""A holder keeps that its lender counts a lot again after a restore, for customers who ask in the next seconds."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal import Flag

revision = "federation_0042_barred"
down_revision = "federation_0041_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_lease", Column("barred", Flag(), nullable=False, server_default="0"))
