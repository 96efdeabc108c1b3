"""The grantor sees why a peer's instance has refused a grant."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "federation_0022_refused_grants"
down_revision = "federation_0021_waiting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_grant", Column("reason", Text, nullable=False, server_default=""))
