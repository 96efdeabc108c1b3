"""A hub keeps the producers that it makes, and not whoever made them there."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0083_kept_by"
down_revision = "0082_claimed_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enterprise", Column("kept_by", Text()))
