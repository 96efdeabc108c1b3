"""How products are kept and packed, and into how many crates an order went."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Json, Whole

revision = "0041_packing"
down_revision = "0040_takes_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("supplied_product", Column("handling", Json(), nullable=False, server_default="[]"))
    op.add_column("customer_order", Column("crates", Whole, nullable=True))
