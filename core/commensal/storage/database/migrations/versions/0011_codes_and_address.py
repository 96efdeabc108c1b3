"""Orders know the codes that were typed, and where goods are to be brought."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

from commensal.storage.database.types import Json

revision = "0011_codes_and_address"
down_revision = "0010_api"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer_order", Column("codes", Json(), nullable=False, server_default="[]"))
    op.add_column("customer_order", Column("address", Json(), nullable=True))
    op.add_column("adjustment", Column("code", Text(), nullable=False, server_default=""))
