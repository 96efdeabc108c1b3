"""An invitation holds only while whoever made it may invite."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0084_invited_by_person"
down_revision = "0083_kept_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member_invitation", Column("invited_by_person", Text()))
