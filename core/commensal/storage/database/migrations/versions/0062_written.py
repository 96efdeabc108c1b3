"""The story of an enterprise and the note of a sale in further languages."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json

revision = "0062_written"
down_revision = "0061_enterprise_roles"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enterprise", Column("descriptions", Json(), nullable=False, server_default="{}"))
    op.add_column("sale_session", Column("notes", Json(), nullable=False, server_default="{}"))
