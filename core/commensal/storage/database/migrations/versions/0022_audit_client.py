"""Which peer or platform a change in the audit trail came from."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0022_audit_client"
down_revision = "0021_second_factor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_entry", Column("client", Text(), nullable=False, server_default=""))
