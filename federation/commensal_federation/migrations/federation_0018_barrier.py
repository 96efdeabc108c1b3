"""Peers that may hold what a restore has made this instance forget: none of it is sold or lent until they answer."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, false

from commensal import Flag

revision = "federation_0018_barrier"
down_revision = "federation_0017_by_hand"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_peer", Column("barrier", Flag, nullable=False, server_default=false()))
