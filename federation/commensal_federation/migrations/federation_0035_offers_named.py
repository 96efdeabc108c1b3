"""Grants know which message offered them, so that an answer to an older offer is not taken for one to the last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "federation_0035_offers_named"
down_revision = "federation_0034_accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_grant", sa.Column("offer_id", sa.Text(), nullable=True))
