"""The name of a sale in further languages than the shop's."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json

revision = "0069_sale_names"
down_revision = "0068_collector"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sale_session", Column("names", Json(), nullable=False, server_default="{}"))
