"""Which enterprise has sent an invitation to another one that it made."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0066_invited_by"
down_revision = "0065_product_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member_invitation", Column("invited_by", Text(), nullable=False, server_default=""))
