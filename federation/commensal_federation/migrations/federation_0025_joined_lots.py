"""Lots for leases that a move has kept apart: what comes back of them is stock of the main lot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "federation_0025_joined_lots"
down_revision = "federation_0024_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_joined_lot",
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("main_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_federation_joined_lot")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_federation_joined_lot_main_id"), "federation_joined_lot", ["main_id"])
