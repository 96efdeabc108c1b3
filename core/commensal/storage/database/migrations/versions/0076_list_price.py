"""Lines of customers with a price of their group keep the price for everybody, by which suppliers are paid.

Lines that were ordered before have none: their suppliers are paid by what customers paid, as they were told.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from commensal.storage.database.types import Whole

revision = "0076_list_price"
down_revision = "0075_confirmed_at"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", Column("list_price", Whole, nullable=True))
