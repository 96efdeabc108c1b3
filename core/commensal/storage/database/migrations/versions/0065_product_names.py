"""The name and the description of a product in further languages."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json

revision = "0065_product_names"
down_revision = "0064_phone_proof"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplied_product", Column("names", Json(), nullable=False, server_default="{}"))
    op.add_column("supplied_product", Column("descriptions", Json(), nullable=False, server_default="{}"))
