"""Openings of sales are announced once."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal.storage.database.types import Time

revision = "0014_sale_opening"
down_revision = "0013_payment_problem"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sale_opening",
        Column("session_id", Text(), nullable=False),
        Column("announced_at", Time(), nullable=False),
        PrimaryKeyConstraint("session_id", name=op.f("pk_sale_opening")),
        sqlite_strict=True,
    )
