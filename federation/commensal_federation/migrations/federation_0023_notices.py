"""Notices: what people are mailed about trade with peers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from commensal import Flag, Json, Time

revision = "federation_0023_notices"
down_revision = "federation_0022_refused_grants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "federation_notice",
        Column("enterprise_id", Text, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("peer_id", Text, primary_key=True),
        Column("subject_id", Text, primary_key=True),
        Column("details", Json, nullable=False),
        Column("waiting", Flag, nullable=False),
        Column("due_at", Time, nullable=False),
        Column("mailed_at", Time),
        sqlite_strict=True,
    )
    op.create_index("ix_federation_notice_due", "federation_notice", ["waiting", "due_at"])
