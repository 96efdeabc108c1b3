"""Requests to become a peer expire, and those that wait are limited for each network that they come from."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from commensal import Time

revision = "federation_0024_requests"
down_revision = "federation_0023_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_peer", Column("requested_at", Time))
    op.add_column("federation_peer", Column("network", Text, nullable=False, server_default=""))
    op.execute("UPDATE federation_peer SET requested_at = created_at WHERE state IN ('invited', 'requested')")
