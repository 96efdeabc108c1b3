"""Producers tell hubs elsewhere when they bring nothing."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, Text

from commensal import Json, Whole

revision = "federation_0037_absences"
down_revision = "federation_0036_receipts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_absences",
        Column("grant_id", Text(), nullable=False),
        Column("rev", Whole, nullable=False),
        Column("periods", Json, nullable=False),
        PrimaryKeyConstraint("grant_id", name=op.f("pk_federation_absences")),
        sqlite_strict=True,
    )
