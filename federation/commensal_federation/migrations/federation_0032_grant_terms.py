"""A grant says how much of a lot the other side may hold, and when it ends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commensal import Time, Whole

revision = "federation_0032_grant_terms"
down_revision = "federation_0031_pairings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_grant", sa.Column("lot_share", Whole, nullable=True))
    op.add_column("federation_grant", sa.Column("ends_at", Time(), nullable=True))
