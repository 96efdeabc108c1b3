"""A lane names the job that works on it, which goes on with it in another process if its own has died."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "federation_0044_worked_by"
down_revision = "federation_0043_first_prices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("federation_lane", Column("worked_by", Text(), nullable=False, server_default=""))
