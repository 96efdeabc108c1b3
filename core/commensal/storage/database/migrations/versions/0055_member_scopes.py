"""The scopes of plugins that a member was given beyond those of the role."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json

revision = "0055_member_scopes"
down_revision = "0054_indexes_of_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enterprise_member", Column("scopes", Json(), nullable=False, server_default="[]"))
