"""A job names the process that has claimed it, so that it is given back at once if that dies."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0082_claimed_by"
down_revision = "0081_planned_opening"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", Column("claimed_by", Text()))
